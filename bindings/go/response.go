// SPDX-License-Identifier: MIT

package infer

// #include "shim.h"
import "C"

import (
	"encoding/json"
	"sync"
	"time"
	"unsafe"
)

// A Response is a whole answer.
type Response struct {
	// ID and Model are what the provider says; RequestID is for its support.
	ID, Model, RequestID string
	// Provider answered; Target is "provider/model" as configured.
	Provider, Target string
	// Choices came in the order of their index; usually there is one.
	Choices []Choice
	// Usage is that of the answer; UsageEstimated says that the provider sent
	// no figures, and that these are the library's estimate.
	Usage          Usage
	UsageEstimated bool
	// TotalUsage covers all attempts, failed ones included, as far as known.
	TotalUsage Usage
	// TotalCostNanoUSD is what all attempts cost, WastedCostNanoUSD what those
	// did that wrote nothing of this answer, in nano-dollars; -1 if any of them
	// is not known. CostKind is that of the total.
	TotalCostNanoUSD, WastedCostNanoUSD int64
	CostKind                            CostKind
	// Attempts are those of the call, in the order of their start.
	Attempts []Attempt
	// Parts are several if a route's recovery let another target go on with an
	// answer that had broken off.
	Parts []Part

	json *answerJSON // nil if the program made the Response itself
}

// A Choice is one of the answers that a request asked for.
type Choice struct {
	Text, Reasoning, Refusal string
	// FinishReason is "stop", "length", "tool_calls", "content_filter", ... as
	// OpenAI names them, NativeFinishReason the provider's own word.
	FinishReason, NativeFinishReason string
	ToolCalls                        []ToolCall
}

// A ToolCall asks the program to run one of its tools.
type ToolCall struct {
	ID, Name string
	// Arguments are as the model wrote them: JSON if it did its work well.
	Arguments string
}

// Usage counts tokens; a number that is not known is -1.
type Usage struct {
	Input, Output, Reasoning, CacheRead, CacheWrite, Total int64
	AudioInput, AudioOutput                                int64
}

// A CostKind says how well a cost is known.
type CostKind int32

// How well a cost is known.
const (
	CostUnknown   CostKind = C.INFER_COST_UNKNOWN
	CostExact     CostKind = C.INFER_COST_EXACT
	CostEstimated CostKind = C.INFER_COST_ESTIMATED
)

// An Attempt is one request that was sent for a call.
type Attempt struct {
	Provider, Target string
	Reason           Reason
	// KeyIndex says which key of the provider was used, from 0.
	KeyIndex int
	// Status is zero or the class of the failure, Message a line about it.
	Status  Status
	Message string
	// Decision is a line about what was decided after the failure, and why.
	Decision   string
	HTTPStatus int
	RequestID  string
	// Won tells that the answer came from this attempt.
	Won              bool
	ReusedConnection bool
	// Start is when it began, counted from the call's acceptance.
	Start time.Duration
	Usage Usage

	BytesSent, BytesReceived, SkippedEvents int64

	// CostNanoUSD is in nano-dollars, -1 if not known.
	CostNanoUSD int64
	CostKind    CostKind

	phases [phaseCount]time.Duration
}

// Phase tells when a point of the attempt was reached, counted from its start
// (PhaseLimiterWait: how long it had waited before); negative if it was not.
func (a *Attempt) Phase(p Phase) time.Duration {
	if p < 0 || int(p) >= len(a.phases) {
		return -1
	}
	return a.phases[p]
}

// A Part is what one attempt wrote of an answer.
type Part struct {
	// Attempt is its place in Response.Attempts.
	Attempt int
	Model   string
	// Bytes is how many bytes of the first choice's text are of it.
	Bytes int
}

// Text gives the text of the first choice.
func (r *Response) Text() string {
	if len(r.Choices) == 0 {
		return ""
	}
	return r.Choices[0].Text
}

// ToolCalls gives the tool calls of the first choice.
func (r *Response) ToolCalls() []ToolCall {
	if len(r.Choices) == 0 {
		return nil
	}
	return r.Choices[0].ToolCalls
}

// JSON gives the answer as an OpenAI chat.completion object, members that only
// this provider has included. It is nil for a Response that no call gave.
func (r *Response) JSON() json.RawMessage {
	if r.json == nil {
		return nil
	}
	return r.json.get()
}

// Message gives the assistant's message of the first choice, tool calls and
// members of this provider included, so that the conversation can go on.
func (r *Response) Message() Message {
	var answer struct {
		Choices []struct{ Message json.RawMessage }
	}
	if json.Unmarshal(r.JSON(), &answer) == nil && len(answer.Choices) > 0 {
		return Message{JSON: answer.Choices[0].Message}
	}
	return Message{Role: "assistant", Text: r.Text(), ToolCalls: r.ToolCalls()}
}

func copyUsage(n *[C.INFER_USAGE_COUNT]C.int64_t) Usage {
	return Usage{
		Input:      int64(n[C.INFER_USAGE_INPUT]),
		Output:     int64(n[C.INFER_USAGE_OUTPUT]),
		Reasoning:  int64(n[C.INFER_USAGE_REASONING]),
		CacheRead:  int64(n[C.INFER_USAGE_CACHE_READ]),
		CacheWrite: int64(n[C.INFER_USAGE_CACHE_WRITE]),
		Total:      int64(n[C.INFER_USAGE_TOTAL]),

		AudioInput:  int64(n[C.INFER_USAGE_AUDIO_INPUT]),
		AudioOutput: int64(n[C.INFER_USAGE_AUDIO_OUTPUT]),
	}
}

// texts copies short texts of C into a block of memory that they share, and
// those that find no more room there into memory of their own.
type texts struct{ block []byte }

func newTexts() texts { return texts{make([]byte, 0, 256)} }

func (t *texts) str(from C.shim_text) string {
	n, at := int(from.len), len(t.block)
	if n == 0 || n > cap(t.block)-at {
		return str(from)
	}
	t.block = append(t.block, unsafe.Slice((*byte)(unsafe.Pointer(from.at)), n)...)
	return unsafe.String(&t.block[at], n)
}

// room gives count elements: if there is one, of, which is there already.
func room[T any](one *[1]T, count C.size_t) []T {
	if count <= 1 {
		return one[:count:count]
	}
	return make([]T, count)
}

// A whole is a Response and the memory of its lists, where they have one
// element each, as they mostly do.
type whole struct {
	Response
	choice  [1]Choice
	attempt [1]Attempt
	part    [1]Part
}

func copyAttempts(attempts []Attempt, from *C.shim_attempt, t *texts) {
	flat := view(from, C.size_t(len(attempts)))
	for i := range flat {
		a, to := &flat[i], &attempts[i]
		to.Provider = t.str(a.provider)
		to.Target = t.str(a.target)
		to.Reason = Reason(a.reason)
		to.KeyIndex = int(a.key_index)
		to.Status = Status(a.status)
		to.Message = t.str(a.message)
		to.Decision = t.str(a.decision)
		to.HTTPStatus = int(a.http_status)
		to.RequestID = t.str(a.request_id)
		to.Won = a.won != 0
		to.ReusedConnection = a.reused_connection != 0
		to.Start = time.Duration(a.start_ns)
		to.Usage = copyUsage(&a.usage)
		to.BytesSent = int64(a.bytes_sent)
		to.BytesReceived = int64(a.bytes_received)
		to.SkippedEvents = int64(a.skipped_events)
		to.CostNanoUSD = int64(a.cost_nano_usd)
		to.CostKind = CostKind(a.cost_kind)
		for p, ns := range a.phase_ns {
			to.phases[p] = time.Duration(ns)
		}
	}
}

// copyAttempt gives nil when memory was short.
func copyAttempt(from *C.shim_attempt) *Attempt {
	if from == nil {
		return nil
	}
	attempts, t := make([]Attempt, 1), newTexts()
	copyAttempts(attempts, from, &t)
	return &attempts[0]
}

func copyChoices(choices []Choice, from *C.shim_choice, t *texts) {
	flat := view(from, C.size_t(len(choices)))
	for i := range flat {
		c, to := &flat[i], &choices[i]
		to.Text = str(c.text)
		to.Reasoning = str(c.reasoning)
		to.Refusal = str(c.refusal)
		to.FinishReason = t.str(c.finish_reason)
		to.NativeFinishReason = t.str(c.native_finish_reason)
		for _, call := range view(c.tool_calls, c.tool_call_count) {
			to.ToolCalls = append(to.ToolCalls,
				ToolCall{ID: t.str(call.id), Name: t.str(call.name), Arguments: str(call.arguments)})
		}
	}
}

func copyParts(parts []Part, from *C.shim_part, t *texts) {
	for i, p := range view(from, C.size_t(len(parts))) {
		parts[i] = Part{Attempt: int(p.attempt), Model: t.str(p.model), Bytes: int(p.bytes)}
	}
}

// An answerJSON is the JSON of an answer. To write it takes as long as all else
// that is copied, and few programs look at it: it may be written later, of the
// result, which goes then.
type answerJSON struct {
	mu     sync.Mutex
	result *C.shim_result
	text   json.RawMessage
}

func copyJSON(handle *C.infer_response) json.RawMessage {
	text := C.shim_response_json(handle)
	return C.GoBytes(unsafe.Pointer(text.at), C.int(text.len))
}

func (j *answerJSON) get() json.RawMessage {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.result != nil {
		j.text = copyJSON(C.shim_result_response(j.result).handle)
		C.shim_result_free(j.result)
		j.result = nil
	}
	return j.text
}

// copyWhole copies a response and its JSON.
func copyWhole(r *C.shim_response) *Response {
	resp := copyResponse(r)
	resp.json = &answerJSON{text: copyJSON(r.handle)}
	return resp
}

// copyResponse copies all but the JSON.
func copyResponse(r *C.shim_response) *Response {
	w, t := &whole{}, newTexts()
	resp := &w.Response
	resp.ID = t.str(r.id)
	resp.Model = t.str(r.model)
	resp.RequestID = t.str(r.request_id)
	resp.Provider = t.str(r.provider)
	resp.Target = t.str(r.target)
	resp.Usage = copyUsage(&r.usage)
	resp.UsageEstimated = r.usage_estimated != 0
	resp.TotalUsage = copyUsage(&r.total_usage)
	resp.TotalCostNanoUSD = int64(r.total_cost_nano_usd)
	resp.WastedCostNanoUSD = int64(r.wasted_cost_nano_usd)
	resp.CostKind = CostKind(r.cost_kind)
	resp.Choices = room(&w.choice, r.choice_count)
	resp.Attempts = room(&w.attempt, r.attempt_count)
	resp.Parts = room(&w.part, r.part_count)
	copyChoices(resp.Choices, r.choices, &t)
	copyAttempts(resp.Attempts, r.attempts, &t)
	copyParts(resp.Parts, r.parts, &t)
	return resp
}
