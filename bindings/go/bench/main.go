// SPDX-License-Identifier: MIT

// Command bench measures the Go package, and openai-go beside it, against the
// server of tests/bench. It prints one number; run.sh makes figures of them.
//
//	bench latency PORT          median nanoseconds of a blocking call
//	bench bulk|paced PORT       nanoseconds of CPU for each streamed chunk
//	bench openai-bulk|openai-paced PORT
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

	"github.com/openai/openai-go"
	"github.com/openai/openai-go/option"

	"libinfer/infer"
)

const (
	latencyCalls = 8000
	concurrency  = 32
	bulkStreams  = 640
	bulkChunks   = 1000
	pacedChunks  = 2000
	prompt       = "Summarize the ticket, please."
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func newClient(port, path string) *infer.Client {
	config := infer.NewConfig()
	check(config.Set("providers.bench", map[string]any{
		infer.OptionProviderType:    "openai",
		infer.OptionProviderBaseURL: fmt.Sprintf("http://127.0.0.1:%s/%s/v1", port, path),
		infer.OptionProviderAPIKey:  "sk-bench",
		infer.OptionProviderProxy:   "none",
	}))
	if path == "unary" {
		check(config.Set("defaults."+infer.OptionPolicyUpstream, "unary"))
	}
	client, err := infer.New(config)
	check(err)
	return client
}

func request() *infer.Request {
	return &infer.Request{
		Model:    "bench/gpt-4o-mini",
		Messages: []infer.Message{infer.User(prompt)},
	}
}

func latency(port string) float64 {
	client := newClient(port, "unary")
	defer client.Close()
	req := request()
	took := make([]time.Duration, latencyCalls)
	for i := -latencyCalls / 10; i < latencyCalls; i++ {
		start := time.Now()
		_, err := client.Chat(context.Background(), req)
		check(err)
		if i >= 0 {
			took[i] = time.Since(start)
		}
	}
	slices.Sort(took)
	return float64(took[latencyCalls/2].Nanoseconds())
}

func cpu() time.Duration {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// perChunk runs one stream after another in each of 32 goroutines; read gives
// the bytes of text that it got.
func perChunk(streams, chunks int, read func() int) float64 {
	run := func(streams int) {
		var left, bytes atomic.Int64
		left.Store(int64(streams))
		var group sync.WaitGroup
		for range concurrency {
			group.Add(1)
			go func() {
				defer group.Done()
				for left.Add(-1) >= 0 {
					bytes.Add(int64(read()))
				}
			}()
		}
		group.Wait()
		if bytes.Load() < int64(streams*chunks) {
			log.Fatalf("%d streams of %d chunks had %d bytes", streams, chunks, bytes.Load())
		}
	}
	if streams > concurrency {
		run(concurrency) // warms connections and memory up
	}
	start := cpu()
	run(streams)
	return float64((cpu() - start).Nanoseconds()) / float64(streams*chunks)
}

func inferStreams(port, path string, streams, chunks int) float64 {
	client := newClient(port, path)
	defer client.Close()
	req := request()
	return perChunk(streams, chunks, func() (bytes int) {
		for event, err := range client.Stream(context.Background(), req) {
			check(err)
			if event.Type == infer.EventText {
				bytes += len(event.Text)
			}
		}
		return bytes
	})
}

func openaiStreams(port, path string, streams, chunks int) float64 {
	client := openai.NewClient(
		option.WithBaseURL(fmt.Sprintf("http://127.0.0.1:%s/%s/v1", port, path)),
		option.WithAPIKey("sk-bench"), option.WithMaxRetries(0))
	return perChunk(streams, chunks, func() (bytes int) {
		stream := client.Chat.Completions.NewStreaming(context.Background(),
			openai.ChatCompletionNewParams{
				Model:    "gpt-4o-mini",
				Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(prompt)},
			})
		defer stream.Close()
		for stream.Next() {
			if chunk := stream.Current(); len(chunk.Choices) > 0 {
				bytes += len(chunk.Choices[0].Delta.Content)
			}
		}
		check(stream.Err())
		return bytes
	})
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: bench latency|bulk|paced|openai-bulk|openai-paced PORT")
	}
	port := os.Args[2]
	var value float64
	switch os.Args[1] {
	case "latency":
		value = latency(port)
	case "bulk":
		value = inferStreams(port, "bulk", bulkStreams, bulkChunks)
	case "paced":
		value = inferStreams(port, "paced", concurrency, pacedChunks)
	case "openai-bulk":
		value = openaiStreams(port, "bulk", bulkStreams/4, bulkChunks)
	case "openai-paced":
		value = openaiStreams(port, "paced", concurrency, pacedChunks)
	default:
		log.Fatalf("no measurement %s", os.Args[1])
	}
	fmt.Printf("%.0f\n", value)
}
