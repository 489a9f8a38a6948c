// SPDX-License-Identifier: MIT

// Command outside is a program of somebody else: its module has the package by
// a replace directive, and pkg-config leads to the installed library.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"libinfer/infer"
)

func main() {
	config := infer.NewConfig()
	// Nobody listens there.
	err := config.Set("providers.nobody", map[string]any{
		infer.OptionProviderType:    "openai",
		infer.OptionProviderBaseURL: "http://127.0.0.1:1/v1",
		infer.OptionProviderProxy:   "none",
	})
	if err != nil {
		log.Fatal(err)
	}
	client, err := infer.New(config)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	_, err = client.Chat(context.Background(), &infer.Request{
		Model:    "nobody/model",
		Messages: []infer.Message{infer.User("Anybody there?")},
	})
	if !errors.Is(err, infer.ErrConnect) {
		log.Fatalf("not refused: %v", err)
	}
	fmt.Println(infer.Version())
}
