// SPDX-License-Identifier: MIT

package infer

// #include "shim.h"
import "C"

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"time"
)

// An Event is a piece of an answer. Ignore types that you do not know.
type Event struct {
	Type EventType
	// Choice is the index of the choice that it belongs to.
	Choice int
	// Epoch counts the restarts of the call, from 0.
	Epoch int
	// Text is the piece for EventText, EventReasoning, EventRefusal and
	// EventToolCallDelta, the whole arguments for EventToolCallDone, the finish
	// reason for EventFinish, JSON for EventLogprobs, EventExtra and
	// EventUsage, the reason for EventRestart, "provider/model" for
	// EventStart.
	Text string
	// Head is JSON, for EventStart: what the provider has said of the answer by
	// then, that is id, created, model, and members that only this provider has.
	Head string
	// ToolIndex, ToolID and ToolName are those of a tool call: its place among
	// the tool calls of the choice, its id and its name.
	ToolIndex        int
	ToolID, ToolName string
	// Attempt is the record of one that has ended, see [Client.SetRecords].
	Attempt *Attempt
	// Response is the whole answer, for EventDone.
	Response *Response
}

// A call is one in flight. The client's goroutine adds what comes of it, one
// other goroutine takes that.
type call struct {
	stream bool
	keeps  bool          // the handle is kept at the end, for it has what came
	wake   chan struct{} // of capacity 1: there is news

	mu      sync.Mutex
	handle  *C.infer_call // to cancel it; nil before and after
	events  []Event       // unread
	merge   int           // number of unread events at which to merge them
	dropped bool          // nobody reads any more
	ended   bool
	epoch   int       // of the terminal event
	resp    *Response // if it ended well
	err     *Error    // if not
}

// submit starts a call whose events come to the client's goroutine.
func (c *Client) submit(ctx context.Context, req *Request, stream bool) (*call, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.leave()
	k := &call{stream: stream, wake: make(chan struct{}, 1), merge: mergeEvents}
	mode := C.int32_t(C.INFER_SUBMIT_WHOLE)
	if stream {
		mode = C.INFER_SUBMIT_STREAM
	}
	err := c.expect(k, func(tag uint64) error { return c.start(ctx, req, k, mode, tag) })
	if err != nil {
		return nil, err
	}
	return k, nil
}

// expect runs begin, which starts the call, with a tag by which the client's
// goroutine finds the call.
func (c *Client) expect(k *call, begin func(tag uint64) error) error {
	c.mu.Lock()
	c.lastTag++
	tag := c.lastTag
	c.calls[tag] = k
	c.mu.Unlock()
	err := begin(tag)
	if err != nil {
		c.mu.Lock()
		c.forgetLocked(tag)
		c.mu.Unlock()
	}
	return err
}

// start hands a request to the library. The caller has entered the client.
func (c *Client) start(ctx context.Context, req *Request, k *call, mode C.int32_t, tag uint64) error {
	if ctx.Err() != nil {
		return contextFailure(ctx)
	}
	settings, err := req.settings()
	if err != nil {
		return err
	}
	send := func(form C.int32_t, body []byte) C.shim_submitted {
		return C.shim_submit(c.c, form, chars(body), C.size_t(len(body)),
			chars(settings), C.size_t(len(settings)), C.int64_t(deadlineMs(ctx)),
			mode, C.uint64_t(tag))
	}
	if texts := req.texts(); texts != nil {
		sent := send(C.SHIM_TEXTS, texts)
		if sent.status == C.INFER_OK || sent.error != nil || sent.refused >= 0 {
			return k.begin(sent, settings)
		}
	}
	body, err := req.body()
	if err != nil {
		return err
	}
	return k.begin(send(C.SHIM_JSON, body), settings)
}

func submitError(sent C.shim_submitted, settings []byte) *Error {
	if sent.refused >= 0 {
		return refusedSetting(Status(sent.status), settings, int(sent.refused))
	}
	return takeError(sent.status, sent.error)
}

// begin notes the handle of a call, whose end may have come already, or says
// why there is none.
func (k *call) begin(sent C.shim_submitted, settings []byte) error {
	if sent.status != C.INFER_OK {
		return submitError(sent, settings)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ended && !k.keeps {
		C.shim_call_free(sent.call)
		return nil
	}
	k.handle = sent.call
	return nil
}

// cancel asks the call to end. Its terminal event follows.
func (k *call) cancel() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.handle != nil {
		C.infer_call_cancel(k.handle)
	}
}

// grace is how much later than the context's deadline the library's own may
// tell of it.
const grace = 100 * time.Millisecond

// watch cancels the call when ctx ends. The function that it gives ends that.
func (k *call) watch(ctx context.Context) (stop func() bool) {
	if ctx.Done() == nil {
		return func() bool { return true }
	}
	return context.AfterFunc(ctx, func() {
		if ctx.Err() == context.DeadlineExceeded {
			// The library has the same deadline, and can tell what it was
			// doing then.
			time.AfterFunc(grace, k.cancel)
			return
		}
		k.cancel()
	})
}

// deliver adds an event. It runs on the client's goroutine.
func (k *call) deliver(event *C.shim_event) {
	k.mu.Lock()
	if event._type == C.INFER_EVENT_DONE {
		k.end(event)
	} else if k.stream && !k.dropped {
		k.add(event)
	}
	k.mu.Unlock()
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

func (k *call) end(event *C.shim_event) {
	k.ended = true
	k.epoch = int(event.epoch)
	if k.keeps {
		if event.status != C.INFER_OK {
			k.err = copyError(event.status, event.error)
		}
		return
	}
	event.call = k.handle // freed with the event
	k.handle = nil
	if event.response != nil && event.status == C.INFER_OK {
		k.resp = copyWhole(event.response)
		return
	}
	status := event.status
	if status == C.INFER_OK {
		status = C.INFER_E_NO_MEMORY
	}
	k.err = copyError(status, event.error)
}

func (k *call) add(event *C.shim_event) {
	e := Event{
		Type:   EventType(event._type),
		Choice: int(event.choice),
		Epoch:  int(event.epoch),
		Text:   str(event.text),
	}
	switch e.Type {
	case EventStart:
		e.Head = str(event.head)
	case EventToolCallDelta, EventToolCallDone:
		e.ToolIndex = int(event.tool_index)
		e.ToolID = str(event.tool_id)
		e.ToolName = str(event.tool_name)
	case EventRestart:
		k.events = recordsOf(k.events) // the answer is void
	case EventType(C.INFER_EVENT_ATTEMPT):
		e.Attempt = copyAttempt(event.attempt)
	}
	k.events = append(k.events, e)
	if len(k.events) >= k.merge {
		k.events = mergeText(k.events)
		k.merge = max(mergeEvents, 2*len(k.events))
	}
}

// recordsOf drops what is not a record of an attempt.
func recordsOf(events []Event) []Event {
	kept := events[:0]
	for _, e := range events {
		if e.Attempt != nil {
			kept = append(kept, e)
		}
	}
	clear(events[len(kept):])
	return kept
}

// What waits unread is merged each time it has come to so many events, into
// pieces of about so many bytes.
const (
	mergeEvents = 1024
	mergeBytes  = 64 << 10
)

// mergeText joins adjacent pieces of the same text.
func mergeText(events []Event) []Event {
	merged := events[:0]
	for i := 0; i < len(events); {
		e := events[i]
		size, end := len(e.Text), i+1
		for end < len(events) && size < mergeBytes && joins(&e, &events[end]) {
			size += len(events[end].Text)
			end++
		}
		if end > i+1 {
			var text strings.Builder
			text.Grow(size)
			for _, piece := range events[i:end] {
				text.WriteString(piece.Text)
			}
			e.Text = text.String()
		}
		merged = append(merged, e)
		i = end
	}
	clear(events[len(merged):])
	return merged
}

func joins(a, b *Event) bool {
	switch a.Type {
	case EventText, EventReasoning, EventRefusal:
	case EventToolCallDelta:
		if a.ToolIndex != b.ToolIndex {
			return false
		}
	default:
		return false
	}
	return a.Type == b.Type && a.Choice == b.Choice && a.Epoch == b.Epoch
}

// failure gives the error of an ended call to a caller with this context.
func (k *call) failure(ctx context.Context) error {
	if k.err.Status == ErrCancelled && ctx.Err() == context.DeadlineExceeded {
		k.err.Status = ErrDeadline
	}
	if ctx.Err() != nil && (k.err.Status == ErrCancelled || k.err.Status == ErrDeadline) {
		k.err.cause = context.Cause(ctx)
	}
	return k.err
}

// Chat sends a request and waits for the whole answer.
func (c *Client) Chat(ctx context.Context, req *Request) (*Response, error) {
	if c.mayWait.CompareAndSwap(true, false) {
		defer c.mayWait.Store(true)
		return c.chatHere(ctx, req)
	}
	k, err := c.submit(ctx, req, false)
	if err != nil {
		return nil, err
	}
	stop := k.watch(ctx)
	<-k.wake // the terminal event, which is the only one
	stop()
	if k.err != nil {
		return nil, k.failure(ctx)
	}
	return k.resp, nil
}

// yieldWaits is after how many waits in C the goroutine meets Go's scheduler.
// Where it has not met it for 10 ms, Go takes the processor away from it in
// each wait, and a thread that watches for that is woken at the end of each.
const yieldWaits = 16

// chatHere waits in C, on the goroutine's own thread. That is twice as fast as
// to be woken by the client's goroutine, but takes a thread: one call at a time
// may do it.
func (c *Client) chatHere(ctx context.Context, req *Request) (*Response, error) {
	if err := c.enter(); err != nil { // Close cancels the call, then waits
		return nil, err
	}
	defer c.leave()
	k := &call{}
	if err := c.start(ctx, req, k, C.INFER_SUBMIT_WHOLE, 0); err != nil {
		return nil, err
	}
	stop := k.watch(ctx)
	c.settle()
	if c.waits++; c.waits%yieldWaits == 0 {
		runtime.Gosched()
	}
	waited := C.shim_call_wait(k.handle)
	stop()
	k.release(waited.result == nil)
	if waited.response != nil {
		return c.keep(waited), nil
	}
	defer C.shim_result_free(waited.result)
	k.err = copyError(C.INFER_E_NO_MEMORY, waited.error)
	return nil, k.failure(ctx)
}

// release ends the use of the handle by cancel.
func (k *call) release(free bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if free {
		C.shim_call_free(k.handle)
	}
	k.handle = nil
}

// keep copies the response that came, and keeps the result for its JSON: there
// is time to write that when the next call is on its way.
func (c *Client) keep(waited C.shim_waited) *Response {
	resp := copyResponse(waited.response)
	resp.json = &answerJSON{result: waited.result}
	c.unsettled = resp.json
	if len(resp.Text()) >= releaseBytes {
		c.settle()
	}
	return resp
}

// settle has the JSON of the last answer written, unless it is already.
func (c *Client) settle() {
	if c.unsettled != nil {
		c.unsettled.get()
		c.unsettled = nil
	}
}
