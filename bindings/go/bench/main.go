// SPDX-License-Identifier: MIT

// Command bench makes one measurement of the Go package, or of openai-go beside
// it, against the server of tests/bench, and prints one number of nanoseconds.
// tests/bench/run bindings makes figures of them.
//
//	bench unary|bulk CONFIG    CPU of an answer, 32 calls at once
//	bench latency CONFIG       median time of a blocking call
//	bench sdk-unary|sdk-bulk BASE_URL
//
// CONFIG is a file with a route "bench".
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"libinfer/infer"
)

const (
	latencyCalls = 8000
	concurrency  = 32
	bulkChunks   = 1000
	prompt       = "Summarize the ticket in two sentences, please."
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// whole checks the text of an answer.
func whole(text string) {
	if len(text) < 100 {
		log.Fatalf("an answer is not whole: %q", text)
	}
}

func cpu() time.Duration {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// run makes so many calls, 32 at once.
func run(calls int, call func()) {
	var left atomic.Int64
	left.Store(int64(calls))
	var group sync.WaitGroup
	for range concurrency {
		group.Add(1)
		go func() {
			defer group.Done()
			for left.Add(-1) >= 0 {
				call()
			}
		}()
	}
	group.Wait()
}

// perCall gives the CPU time of a call, after a tenth as many to warm up.
func perCall(calls int, call func()) float64 {
	run(calls/10+concurrency, call)
	start := cpu()
	run(calls, call)
	return float64((cpu() - start).Nanoseconds()) / float64(calls)
}

// ---- libinfer ----------------------------------------------------------------

func newClient(path string) *infer.Client {
	config, err := infer.LoadConfig(path)
	check(err)
	client, err := infer.New(config)
	check(err)
	return client
}

var request = &infer.Request{
	Model:    "bench",
	Messages: []infer.Message{infer.User(prompt)},
}

func chat(client *infer.Client) {
	resp, err := client.Chat(context.Background(), request)
	check(err)
	whole(resp.Text())
}

func stream(client *infer.Client) {
	bytes := 0
	for event, err := range client.Stream(context.Background(), request) {
		check(err)
		switch event.Type {
		case infer.EventText:
			bytes += len(event.Text)
		case infer.EventDone:
			if text := event.Response.Text(); bytes < bulkChunks || bytes != len(text) {
				log.Fatalf("%d bytes of %d were streamed", bytes, len(text))
			}
		}
	}
}

func latency(client *infer.Client) float64 {
	took := make([]time.Duration, latencyCalls)
	for i := -latencyCalls / 10; i < latencyCalls; i++ {
		start := time.Now()
		chat(client)
		if i >= 0 {
			took[i] = time.Since(start)
		}
	}
	slices.Sort(took)
	return float64(took[latencyCalls/2].Nanoseconds())
}

// ---- openai-go ---------------------------------------------------------------

func newSDK(baseURL string) *openai.Client {
	client := openai.NewClient(option.WithBaseURL(baseURL),
		option.WithAPIKey("sk-bench"), option.WithMaxRetries(0))
	return &client
}

var params = openai.ChatCompletionNewParams{
	Model:    "gpt-4o-mini",
	Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(prompt)},
}

func sdkChat(client *openai.Client) {
	resp, err := client.Chat.Completions.New(context.Background(), params)
	check(err)
	whole(resp.Choices[0].Message.Content)
}

func sdkStream(client *openai.Client) {
	chunks := 0
	streamed := params
	streamed.StreamOptions.IncludeUsage = openai.Bool(true)
	stream := client.Chat.Completions.NewStreaming(context.Background(), streamed)
	defer stream.Close()
	for stream.Next() {
		chunk := stream.Current()
		if len(chunk.Choices) > 0 && chunk.Choices[0].Delta.Content != "" {
			chunks++
		}
	}
	check(stream.Err())
	if chunks != bulkChunks {
		log.Fatalf("%d chunks", chunks)
	}
}

func measure(what, where string) float64 {
	switch what {
	case "unary":
		client := newClient(where)
		return perCall(20000, func() { chat(client) })
	case "bulk":
		client := newClient(where)
		return perCall(1600, func() { stream(client) })
	case "latency":
		return latency(newClient(where))
	case "sdk-unary":
		client := newSDK(where)
		return perCall(6000, func() { sdkChat(client) })
	case "sdk-bulk":
		client := newSDK(where)
		return perCall(160, func() { sdkStream(client) })
	}
	log.Fatalf("no measurement %s", what)
	return 0
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: bench MEASUREMENT CONFIG_OR_BASE_URL")
	}
	fmt.Printf("%.0f\n", measure(os.Args[1], os.Args[2]))
}
