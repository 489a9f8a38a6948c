// SPDX-License-Identifier: MIT

// Command failover puts two providers behind one name: if the first one fails,
// the second answers. The configuration is built in the program; it could as
// well be a file.
//
//	OPENAI_API_KEY=... CLARIFAI_PAT=... go run ./examples/failover
//
// Other servers that speak the OpenAI protocol, and a model of each:
//
//	go run ./examples/failover http://127.0.0.1:8000/v1 llama http://127.0.0.1:8001/v1 qwen
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"libinfer/infer"
)

// options is an object of the configuration; a setting is one by its path.
type options = map[string]any

type setting struct {
	path  string
	value any
}

// services is the configuration for the two companies.
func services() []setting {
	return []setting{
		{"providers.first", options{
			infer.OptionProviderType:   "openai",
			infer.OptionProviderAPIKey: "env:OPENAI_API_KEY",
		}},
		{"providers.second", options{
			infer.OptionProviderType:   "clarifai",
			infer.OptionProviderAPIKey: "env:CLARIFAI_PAT",
		}},
		{"routes.safe." + infer.OptionRouteTargets, []string{
			"first/gpt-4o-mini",
			"second/https://clarifai.com/openai/chat-completion/models/gpt-oss-120b",
		}},
		{"routes.safe." + infer.OptionPolicyTimeoutsFirstTokenMs, 8000},
	}
}

// servers is the configuration for addresses and models of the command line.
func servers(args []string) []setting {
	return []setting{
		{"providers.first", options{
			infer.OptionProviderType:    "openai",
			infer.OptionProviderBaseURL: args[0],
		}},
		{"providers.second", options{
			infer.OptionProviderType:    "openai",
			infer.OptionProviderBaseURL: args[2],
		}},
		{"routes.safe." + infer.OptionRouteTargets, []string{"first/" + args[1], "second/" + args[3]}},
	}
}

func run(settings []setting) error {
	config := infer.NewConfig()
	for _, s := range settings {
		if err := config.Set(s.path, s.value); err != nil {
			return err
		}
	}
	client, err := infer.New(config)
	if err != nil {
		return err
	}
	defer client.Close()
	resp, err := client.Chat(context.Background(), &infer.Request{
		Model:    "safe",
		Messages: []infer.Message{infer.User("Say hello.")},
	})
	if err != nil {
		return err
	}
	for i, a := range resp.Attempts {
		outcome := "answered"
		if a.Status != 0 {
			outcome = a.Status.Error()
		}
		fmt.Printf("%d. %s (%v): %s\n", i+1, a.Target, a.Reason, outcome)
	}
	fmt.Println(resp.Text())
	return nil
}

func main() {
	flag.Parse()
	settings := services()
	if flag.NArg() == 4 {
		settings = servers(flag.Args())
	}
	if err := run(settings); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
