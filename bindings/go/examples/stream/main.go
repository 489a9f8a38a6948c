// SPDX-License-Identifier: MIT

// Command stream prints an answer as it comes.
//
//	OPENAI_API_KEY=... go run ./examples/stream openai/gpt-4o-mini "Tell me a story."
//	INFER_CONFIG=infer.json go run ./examples/stream fast "Tell me a story."
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"libinfer/infer"
)

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
	req := &infer.Request{Model: model, Messages: []infer.Message{infer.User(prompt)}}
	for event, err := range client.Stream(ctx, req) {
		if err != nil {
			// A cut answer is never reported as a success. What had come
			// stands in the error's Partial.
			return err
		}
		// Types that the program does not know are left alone: later versions
		// of the library may add some.
		switch event.Type {
		case infer.EventText:
			fmt.Print(event.Text)
		case infer.EventRestart:
			// Only a route with "recovery": "restart" or "continue" does this:
			// what was printed so far is void, a whole new answer follows.
			fmt.Printf("\n[starting over: %s]\n", event.Text)
		case infer.EventDone:
			fmt.Printf("\n(finish reason: %s)\n", event.Response.Choices[0].FinishReason)
		}
	}
	return nil
}

func main() {
	flag.Parse()
	model, prompt := "openai/gpt-4o-mini", "Tell me a story."
	if flag.NArg() > 0 {
		model = flag.Arg(0)
	}
	if flag.NArg() > 1 {
		prompt = flag.Arg(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, model, prompt); err != nil {
		fmt.Fprintf(os.Stderr, "\n%v\n", err)
		os.Exit(1)
	}
}
