// SPDX-License-Identifier: MIT

// Command concurrent reads many streams at once, each in a goroutine of its
// own, and shows how many are open. The library adds one thread and one
// goroutine to the program, however many calls there are.
//
//	OPENAI_API_KEY=... go run ./examples/concurrent openai/gpt-4o-mini 200
//	INFER_CONFIG=infer.json go run ./examples/concurrent fast 200
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

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

// counters are what the streams have in common.
type counters struct {
	open, peak, pieces, answered, failed atomic.Int64
}

// begin counts a stream whose answer has begun.
func (n *counters) begin() {
	open := n.open.Add(1)
	for peak := n.peak.Load(); open > peak && !n.peak.CompareAndSwap(peak, open); {
		peak = n.peak.Load()
	}
}

// read reads one stream to its end.
func (n *counters) read(ctx context.Context, client *infer.Client, model, prompt string) error {
	req := &infer.Request{Model: model, Messages: []infer.Message{infer.User(prompt)}}
	begun := false
	defer func() {
		if begun {
			n.open.Add(-1)
		}
	}()
	for event, err := range client.Stream(ctx, req) {
		if err != nil {
			n.failed.Add(1)
			return err
		}
		switch event.Type {
		case infer.EventStart:
			if !begun { // a call that starts over has several
				begun = true
				n.begin()
			}
		case infer.EventText:
			n.pieces.Add(1)
		case infer.EventDone:
			n.answered.Add(1)
		}
	}
	return nil
}

// show prints the counters until it is told to stop.
func (n *counters) show(stop <-chan struct{}) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			fmt.Printf("%d open, %d answered, %d pieces\n",
				n.open.Load(), n.answered.Load(), n.pieces.Load())
		}
	}
}

func run(ctx context.Context, model string, streams int) error {
	client, err := open()
	if err != nil {
		return err
	}
	defer client.Close()
	var n counters
	var readers, shower sync.WaitGroup
	stop := make(chan struct{})
	shower.Add(1)
	go func() {
		defer shower.Done()
		n.show(stop)
	}()
	var once sync.Once
	var first error
	for i := range streams {
		readers.Add(1)
		go func() {
			defer readers.Done()
			prompt := fmt.Sprintf("Tell me about the number %d.", i)
			if err := n.read(ctx, client, model, prompt); err != nil {
				once.Do(func() { first = err })
			}
		}()
	}
	readers.Wait()
	close(stop)
	shower.Wait()
	fmt.Printf("%d answered, %d failed, at most %d at a time\n",
		n.answered.Load(), n.failed.Load(), n.peak.Load())
	return first
}

func main() {
	flag.Parse()
	model, streams := "openai/gpt-4o-mini", 200
	if flag.NArg() > 0 {
		model = flag.Arg(0)
	}
	if flag.NArg() > 1 {
		if count, err := strconv.Atoi(flag.Arg(1)); err == nil {
			streams = count
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, model, streams); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
