// SPDX-License-Identifier: MIT

// Command cmd writes constants_gen.go; see the go:generate line in infer.go.
package main

import (
	"log"
	"os"

	"libinfer/infer/internal/generate"
)

func main() {
	source, err := generate.Constants()
	if err == nil {
		err = os.WriteFile("constants_gen.go", source, 0o666)
	}
	if err != nil {
		log.Fatal(err)
	}
}
