// SPDX-License-Identifier: MIT

package infer

import (
	"bytes"
	"os"
	"testing"

	"libinfer/infer/internal/generate"
)

// The constants are those of the library.
func TestConstants(t *testing.T) {
	want, err := generate.Constants()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("constants_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(got, want) {
		return
	}
	g, w := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range min(len(g), len(w)) {
		if !bytes.Equal(g[i], w[i]) {
			t.Fatalf("constants_gen.go:%d: %q, the library has %q; run go generate", i+1, g[i], w[i])
		}
	}
	t.Fatalf("constants_gen.go has %d lines, of %d; run go generate", len(g), len(w))
}
