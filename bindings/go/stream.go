// SPDX-License-Identifier: MIT

package infer

import (
	"context"
	"io"
	"iter"
)

// Stream sends a request when the sequence is ranged over, and gives the
// answer's events as they come. The last one is EventDone, with the whole
// answer, or comes with the error that ended the call. To leave the loop
// earlier cancels the call.
//
//	for event, err := range client.Stream(ctx, req) {
//		if err != nil {
//			return err
//		}
//		if event.Type == infer.EventText {
//			fmt.Print(event.Text)
//		}
//	}
//
// A reader that falls behind delays nothing else: what it has not read waits
// in memory, adjacent pieces of text joined, up to the whole answer
// (max_response_bytes).
func (c *Client) Stream(ctx context.Context, req *Request) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		s, err := c.Open(ctx, req)
		if err != nil {
			yield(Event{Type: EventDone}, err)
			return
		}
		defer s.Close()
		for {
			event, err := s.Recv()
			if err == io.EOF || !yield(event, err) || err != nil {
				return
			}
		}
	}
}

// A Stream is a call whose events are fetched one by one, by one goroutine at
// a time.
type Stream struct {
	ctx  context.Context
	call *call
	stop func() bool

	batch []Event // taken from the call
	next  int
	err   error // what comes after the batch, if known
}

// Open sends a request, like [Client.Stream], for a reader that is no loop.
// The caller closes the stream.
func (c *Client) Open(ctx context.Context, req *Request) (*Stream, error) {
	k, err := c.submit(ctx, req, true)
	if err != nil {
		return nil, err
	}
	return &Stream{ctx: ctx, call: k, stop: k.watch(ctx)}, nil
}

// Recv gives the next event. After EventDone, which has the whole answer, it
// gives io.EOF; a call that failed gives its error in place of both.
func (s *Stream) Recv() (Event, error) {
	for s.next == len(s.batch) {
		if s.err != nil {
			return Event{Type: EventDone}, s.err
		}
		s.take()
	}
	event := s.batch[s.next]
	s.batch[s.next] = Event{} // so that its text may go before the batch does
	s.next++
	return event, nil
}

// take fetches what the call has, or its end; it waits for either.
func (s *Stream) take() {
	k := s.call
	for {
		k.mu.Lock()
		events, ended, dropped := k.events, k.ended, k.dropped
		if len(events) > 0 {
			k.events = s.batch[:0] // has been read
			k.merge = mergeEvents
		}
		k.mu.Unlock()
		switch {
		case dropped:
			s.err = failure(ErrClosed, "the stream is closed")
			return
		case len(events) > 0:
			s.batch, s.next = events, 0
			return
		case ended:
			s.end()
			return
		}
		<-k.wake
	}
}

func (s *Stream) end() {
	s.stop()
	if s.call.err != nil {
		s.err = s.call.failure(s.ctx)
		return
	}
	s.batch, s.next = []Event{{Type: EventDone, Epoch: s.call.epoch, Response: s.call.resp}}, 0
	s.err = io.EOF
}

// Close cancels the call unless it has ended. It may be called at any time, by
// any goroutine; a Recv that waits then fails with [ErrClosed].
func (s *Stream) Close() error {
	s.stop()
	k := s.call
	k.mu.Lock()
	k.dropped = true
	k.events = nil
	k.mu.Unlock()
	k.cancel()
	select {
	case k.wake <- struct{}{}:
	default:
	}
	return nil
}
