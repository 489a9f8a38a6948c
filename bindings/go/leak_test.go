// SPDX-License-Identifier: MIT

package infer

import (
	"context"
	"errors"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Calls of every kind leave nothing behind: no handle of C, no goroutine, and
// the second half of them no memory. INFER_GO_LEAK_CALLS=100000 is the long
// form.
func TestLeak(t *testing.T) {
	calls := 20000
	if n, err := strconv.Atoi(os.Getenv("INFER_GO_LEAK_CALLS")); err == nil {
		calls = n
	}
	if raceEnabled {
		// The detector keeps memory of its own.
		t.Skip("memory is not measured with the race detector")
	}
	client, _ := newClient(t)
	client.run(t, calls/2)
	// A thread more, which the runtime may start at any time, has a heap of its
	// own in C. A leak grows each time.
	grown := int64(0)
	for range 3 {
		half := residentBytes(t)
		client.run(t, calls/2)
		grown = residentBytes(t) - half
		t.Logf("after %d calls, %d more took %d KiB", calls/2, calls/2, grown>>10)
		if grown < 1<<20 {
			break
		}
	}
	if grown >= 1<<20 {
		t.Errorf("each %d calls take %d bytes", calls/2, grown)
	}
	client.mu.Lock()
	left := len(client.calls)
	client.mu.Unlock()
	if left > 0 {
		t.Errorf("%d calls are left", left)
	}
}

// run makes calls of all kinds, 16 at a time.
func (c *Client) run(t *testing.T, calls int) {
	var group sync.WaitGroup
	for range 16 {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := range calls / 16 {
				if err := c.one(i); err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	group.Wait()
}

func (c *Client) one(i int) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	switch i % 6 {
	case 0: // a failure
		if _, err := c.Chat(ctx, ask("sim/limited")); !errors.Is(err, ErrRateLimited) {
			return err
		}
	case 1: // a stream that is left
		for event, err := range c.Stream(ctx, ask("sim/slow")) {
			if err != nil {
				return err
			}
			if event.Type == EventText {
				break
			}
		}
	case 2: // a whole stream
		for _, err := range c.Stream(ctx, ask("sim/tool")) {
			if err != nil {
				return err
			}
		}
	case 3: // a call that is cancelled
		go cancel()
		if _, err := c.Chat(ctx, ask("sim/mute")); !errors.Is(err, context.Canceled) {
			return err
		}
	case 4: // no call for an answer
		_, err := c.Models(ctx, "sim")
		return err
	default:
		_, err := c.Chat(ctx, ask("sim/good"))
		return err
	}
	return nil
}

// residentBytes measures the process once the collector has done what it can.
func residentBytes(t *testing.T) int64 {
	t.Helper()
	runtime.GC()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("there is no /proc to measure memory by")
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
