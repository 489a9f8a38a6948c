// SPDX-License-Identifier: MIT

// Command chat asks one question and prints the answer.
//
//	OPENAI_API_KEY=... go run ./examples/chat openai/gpt-4o-mini "What is a hedge?"
//
// With a configuration file, the model may be one of its routes:
//
//	INFER_CONFIG=infer.json go run ./examples/chat fast "What is a hedge?"
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"libinfer/infer"
)

// open makes a client. Without INFER_CONFIG it has the providers whose keys
// are in the environment.
func open() (*infer.Client, error) {
	path := os.Getenv("INFER_CONFIG")
	if path == "" {
		return infer.New(nil)
	}
	config, err := infer.LoadConfig(path)
	if err != nil {
		return nil, err
	}
	return infer.New(config)
}

func run(ctx context.Context, model, prompt string) error {
	client, err := open()
	if err != nil {
		return err
	}
	defer client.Close()
	resp, err := client.Chat(ctx, &infer.Request{
		Model:    model,
		Messages: []infer.Message{infer.User(prompt)},
	})
	if err != nil {
		return err
	}
	fmt.Println(resp.Text())
	fmt.Printf("(%s, %d tokens)\n", resp.Target, resp.Usage.Total)
	return nil
}

func main() {
	flag.Parse()
	model, prompt := "openai/gpt-4o-mini", "Say hello."
	if flag.NArg() > 0 {
		model = flag.Arg(0)
	}
	if flag.NArg() > 1 {
		prompt = flag.Arg(1)
	}
	// Ctrl-C cancels the call.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, model, prompt); err != nil {
		fmt.Fprintln(os.Stderr, err)
		var e *infer.Error
		if errors.As(err, &e) && e.Retryable {
			fmt.Fprintln(os.Stderr, "(it may succeed later)")
		}
		os.Exit(1)
	}
}
