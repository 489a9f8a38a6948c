// SPDX-License-Identifier: MIT

package infer

// #include "shim.h"
import "C"

import (
	"context"
	"encoding/json"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// A Client sends requests. It has one thread of C, which does all the work
// with the network, and one goroutine, which hands out what comes of it.
type Client struct {
	// using is held for reading while a function of C uses the client, and for
	// writing to end that.
	using  sync.RWMutex
	c      *C.shim_client // nil once closed
	closed chan struct{}  // when nothing of it is left
	once   sync.Once

	// mayWait is true while no call waits on a thread of its own, see chatHere.
	mayWait atomic.Bool
	// The rest is of that call, and of those before it.
	waits     uint64
	unsettled *answerJSON // of the last answer, if C has more of it

	file    *os.File      // the queue's descriptor, in the runtime's poller
	drained chan struct{} // the goroutine has ended

	mu      sync.Mutex
	calls   map[uint64]*call // in flight, by tag
	lastTag uint64
	idle    chan struct{} // closed when there are no more calls; nil unless closing

	batch [C.SHIM_BATCH]*call // the goroutine's own
}

// New makes a client. config is copied. Without one (nil), or with one that
// has no providers, the client uses those providers whose key variable is set
// in the environment, such as OPENAI_API_KEY; they never fail over to one
// another.
func New(config *Config) (*Client, error) {
	opened := C.shim_client_open(config.handle())
	runtime.KeepAlive(config)
	if opened.status == C.INFER_E_UNSUPPORTED && opened.error == nil {
		return nil, failure(ErrUnsupported, "a client in Go needs its own thread: leave \"threads\" at 1")
	}
	if opened.status != C.INFER_OK {
		return nil, takeError(opened.status, opened.error)
	}
	c := &Client{
		c:       opened.client,
		file:    os.NewFile(uintptr(opened.client.fd), "infer queue"),
		calls:   make(map[uint64]*call),
		closed:  make(chan struct{}),
		drained: make(chan struct{}),
	}
	// With one processor a thread in C would hold up all goroutines.
	c.mayWait.Store(runtime.GOMAXPROCS(0) > 1)
	go c.drain(opened.client)
	return c, nil
}

// enter begins a use of the client of C; leave ends it.
func (c *Client) enter() error {
	c.using.RLock()
	if c.c == nil {
		c.using.RUnlock()
		return failure(ErrClosed, "the client is closed")
	}
	return nil
}

func (c *Client) leave() { c.using.RUnlock() }

// Close cancels all calls, which end with [ErrCancelled], and frees the
// client. Functions that are called later fail with [ErrClosed].
func (c *Client) Close() error {
	c.shutdown(0)
	return nil
}

// Shutdown refuses new calls and waits for those in flight. When ctx ends
// before they do, it cancels the rest and returns the context's error. Either
// way the client is closed.
func (c *Client) Shutdown(ctx context.Context) error {
	const forever = 1 << 53 // milliseconds
	ended := make(chan bool, 1)
	stop := context.AfterFunc(ctx, func() { ended <- c.refuse(0) })
	c.shutdown(forever)
	if !stop() && !<-ended {
		return context.Cause(ctx)
	}
	return nil
}

// refuse ends the client's calls; true if all ended by themselves.
func (c *Client) refuse(drainMs int64) bool {
	if c.enter() != nil {
		return true
	}
	defer c.leave()
	return C.infer_client_close(c.c.client, C.int64_t(drainMs)) == C.INFER_OK
}

func (c *Client) shutdown(drainMs int64) {
	c.refuse(drainMs)
	c.once.Do(func() {
		// Every call that was accepted has its terminal event by now, or will.
		c.using.Lock()
		shim := c.c
		c.c = nil
		c.settle()
		c.using.Unlock()
		<-c.noCalls()
		c.file.Close()
		<-c.drained
		C.shim_client_free(shim)
		close(c.closed)
	})
	<-c.closed
}

// noCalls gives a channel that is closed when no call is left.
func (c *Client) noCalls() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = make(chan struct{})
	if len(c.calls) == 0 {
		close(c.idle)
	}
	return c.idle
}

// Reload checks config and, if it is good, uses it for new calls. Those in
// flight keep what they began with. On an error nothing changes.
func (c *Client) Reload(config *Config) error {
	if err := c.enter(); err != nil {
		return err
	}
	defer c.leave()
	var e *C.infer_error
	status := C.infer_client_reload(c.c.client, config.handle(), &e)
	runtime.KeepAlive(config)
	if status != C.INFER_OK {
		return takeError(status, e)
	}
	return nil
}

// drain runs on the client's goroutine and hands out events until the file is
// closed. It sleeps in the runtime's poller, on no thread.
func (c *Client) drain(shim *C.shim_client) {
	defer close(c.drained)
	raw, err := c.file.SyscallConn()
	if err != nil {
		panic(err) // an *os.File that nobody has closed
	}
	// The poller tells of changes only. One that comes while the function runs
	// is remembered, so it must leave nothing unread, and not return true.
	raw.Read(func(uintptr) bool {
		for c.fetch(shim) == C.SHIM_BATCH {
		}
		return false
	})
}

// releaseBytes is how much text a batch may hold on to until the next one.
const releaseBytes = 64 << 10

// fetch hands out a batch of events and returns their number.
func (c *Client) fetch(shim *C.shim_client) int {
	n := int(C.shim_fetch(shim))
	if n == 0 {
		return 0
	}
	events := shim.flat[:n]
	c.mu.Lock()
	for i := range events {
		tag := uint64(events[i].tag)
		c.batch[i] = c.calls[tag]
		if events[i]._type == C.INFER_EVENT_DONE {
			c.forgetLocked(tag)
		}
	}
	c.mu.Unlock()
	held := 0
	for i := range events {
		c.batch[i].deliver(&events[i])
		held += int(events[i].text.len)
		if events[i]._type == C.INFER_EVENT_DONE {
			held += releaseBytes
		}
	}
	clear(c.batch[:n])
	if held >= releaseBytes {
		C.shim_release(shim)
	}
	return n
}

func (c *Client) forgetLocked(tag uint64) {
	delete(c.calls, tag)
	if len(c.calls) == 0 && c.idle != nil {
		close(c.idle)
	}
}

// ---- Plans, models, warm connections ----------------------------------------

// A PlanEntry is a target that a request may go to.
type PlanEntry struct {
	// Target is "provider/model".
	Target string
	// Status is zero if it would be tried, else the class that keeps it out.
	Status Status
	// Reason is one line: why it stands here, or why it is kept out.
	Reason string
}

// Plan tells which targets the request would try, in which order and why. It
// sends nothing.
func (c *Client) Plan(req *Request) ([]PlanEntry, error) {
	body, err := req.body()
	if err != nil {
		return nil, err
	}
	settings, err := req.settings()
	if err != nil {
		return nil, err
	}
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.leave()
	var request *C.infer_request
	made := C.shim_request_new(C.SHIM_JSON, chars(body), C.size_t(len(body)),
		chars(settings), C.size_t(len(settings)), 0, &request)
	defer C.infer_request_free(request)
	if made.status != C.INFER_OK {
		return nil, submitError(made, settings)
	}
	var plan *C.infer_plan
	var e *C.infer_error
	status := C.infer_client_plan(c.c.client, request, &plan, &e)
	if status != C.INFER_OK {
		return nil, takeError(status, e)
	}
	defer C.infer_plan_free(plan)
	entries := make([]PlanEntry, C.infer_plan_count(plan))
	for i := range entries {
		n := C.size_t(i)
		entries[i] = PlanEntry{
			Target: C.GoString(C.infer_plan_target(plan, n)),
			Status: Status(C.infer_plan_status(plan, n)),
			Reason: C.GoString(C.infer_plan_reason(plan, n)),
		}
	}
	return entries, nil
}

// Stats is what has come of a client's work so far.
type Stats struct {
	// Hedging has an entry for each route, or "provider/model" named by
	// requests, whose calls may have hedges.
	Hedging map[string]HedgeStats `json:"hedging"`
	// JSON is the whole document, which may have more members than this type.
	JSON []byte `json:"-"`
}

// HedgeStats counts the hedges of a route. infer.h says what each counter
// means.
type HedgeStats struct {
	Sent    int64 `json:"sent"`
	Won     int64 `json:"won"`
	Lost    int64 `json:"lost"`
	Rescues int64 `json:"rescues"`
	// DelayMs and Probability are the present plan; nil: no hedges.
	DelayMs     *float64 `json:"delay_ms"`
	Probability float64  `json:"probability"`
	CallsCost   int64    `json:"calls_cost"`
	LosersCost  int64    `json:"losers_cost"`
	// Suppressed counts calls without a hedge, by what spoke against it.
	Suppressed map[string]int64 `json:"suppressed"`
}

// Stats tells what has come of the client's work so far.
func (c *Client) Stats() (*Stats, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.leave()
	var text *C.char
	var size C.size_t
	if status := C.infer_client_stats(c.c.client, &text, &size); status != C.INFER_OK {
		return nil, takeError(status, nil)
	}
	defer C.infer_text_free(text)
	stats := &Stats{JSON: C.GoBytes(unsafe.Pointer(text), C.int(size))}
	if err := json.Unmarshal(stats.JSON, stats); err != nil {
		return nil, err
	}
	return stats, nil
}

// Metrics gives the counters of that and histograms in the text format of
// Prometheus, to be served as "text/plain; version=0.0.4".
func (c *Client) Metrics() ([]byte, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.leave()
	var text *C.char
	var size C.size_t
	if status := C.infer_client_metrics(c.c.client, &text, &size); status != C.INFER_OK {
		return nil, takeError(status, nil)
	}
	defer C.infer_text_free(text)
	return C.GoBytes(unsafe.Pointer(text), C.int(size)), nil
}

// SetRecords says whether streams tell of each attempt when it has ended, also
// of those that lose a race: with an event that has an Attempt.
func (c *Client) SetRecords(on bool) error {
	if err := c.enter(); err != nil {
		return err
	}
	defer c.leave()
	var flag C.int32_t
	if on {
		flag = 1
	}
	if status := C.infer_queue_set_records(c.c.queue, flag); status != C.INFER_OK {
		return takeError(status, nil)
	}
	return nil
}

// A Model is one that a provider lists.
type Model struct {
	ID   string
	JSON []byte // the provider's entry
}

// Models asks a provider for its models. A cancelled context cancels that, and
// its deadline takes the place of the provider's.
func (c *Client) Models(ctx context.Context, provider string) ([]Model, error) {
	name, err := cString(provider)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, contextFailure(ctx)
	}
	if err := c.enter(); err != nil { // Close cancels the call, then waits
		return nil, err
	}
	defer c.leave()
	k := &call{keeps: true, wake: make(chan struct{}, 1)}
	err = c.expect(k, func(tag uint64) error {
		ms := C.int64_t(deadlineMs(ctx))
		return k.begin(C.shim_submit_models(c.c, chars(name), ms, C.uint64_t(tag)), nil)
	})
	if err != nil {
		return nil, err
	}
	defer k.release(true)
	stop := k.watch(ctx)
	<-k.wake // the terminal event
	stop()
	if k.err != nil {
		return nil, k.failure(ctx)
	}
	return modelsOf(k.handle)
}

func modelsOf(ended *C.infer_call) ([]Model, error) {
	var list *C.infer_model_list
	var e *C.infer_error
	status := C.infer_call_models(ended, &list, &e)
	if status != C.INFER_OK {
		return nil, takeError(status, e)
	}
	defer C.infer_model_list_free(list)
	models := make([]Model, C.infer_model_list_count(list))
	for i := range models {
		var t C.shim_text
		t.at = C.infer_model_list_json(list, C.size_t(i), &t.len)
		models[i] = Model{
			ID:   C.GoString(C.infer_model_list_id(list, C.size_t(i))),
			JSON: []byte(str(t)),
		}
	}
	return models, nil
}

// A WarmReport tells how far a provider was reached.
type WarmReport struct {
	Provider string
	// Status is zero if nothing failed, which does not mean that a connection
	// waits: that is Ready.
	Status  Status
	Reached Warmth
	Ready   bool
	// Protocol is "h2", "http/1.1", or "" if it is not known.
	Protocol string
	// Reason is one line: why no connection waits.
	Reason string
	// Took is how long it took; negative if it is not done.
	Took time.Duration
}

// Prewarm makes connections ready for a route, a "provider/model", a provider,
// or, with name "", for every provider, so that the next calls begin without
// name lookup and handshakes. It waits until the context's deadline, and at
// most 30 seconds, for which the error is [ErrTimeout], beside the report so
// far; a cancelled context does not end it.
func (c *Client) Prewarm(ctx context.Context, name string) ([]WarmReport, error) {
	given, err := cString(name)
	if err != nil {
		return nil, err
	}
	wait, err := c.enterWait(ctx)
	if err != nil {
		return nil, err
	}
	defer c.leave()
	var at *C.char
	if name != "" {
		at = chars(given)
	}
	var report *C.infer_warm_report
	var e *C.infer_error
	status := C.infer_client_prewarm(c.c.client, at, wait, &report, &e)
	if status != C.INFER_OK {
		err = takeError(status, e)
	}
	defer C.infer_warm_report_free(report)
	reports := make([]WarmReport, C.infer_warm_report_count(report))
	for i := range reports {
		n := C.size_t(i)
		reports[i] = WarmReport{
			Provider: C.GoString(C.infer_warm_report_provider(report, n)),
			Status:   Status(C.infer_warm_report_status(report, n)),
			Reached:  Warmth(C.infer_warm_report_reached(report, n)),
			Ready:    C.infer_warm_report_ready(report, n) != 0,
			Protocol: C.GoString(C.infer_warm_report_protocol(report, n)),
			Reason:   C.GoString(C.infer_warm_report_reason(report, n)),
			Took:     time.Duration(C.infer_warm_report_took_ns(report, n)),
		}
	}
	return reports, err
}

// enterWait is enter for a function that waits; it gives the milliseconds.
func (c *Client) enterWait(ctx context.Context) (C.int64_t, error) {
	if ctx.Err() != nil {
		return 0, contextFailure(ctx)
	}
	wait := int64(30_000)
	if ms := deadlineMs(ctx); ms > 0 {
		wait = min(wait, ms)
	}
	return C.int64_t(wait), c.enter()
}

// cString gives a name to C, which would cut it at a NUL.
func cString(name string) ([]byte, error) {
	if strings.IndexByte(name, 0) >= 0 {
		return nil, failure(ErrInvalidArgument, "a name contains NUL")
	}
	return append([]byte(name), 0), nil
}
