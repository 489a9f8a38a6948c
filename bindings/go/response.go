// SPDX-License-Identifier: MIT

package infer

// #include "shim.h"
import "C"

import (
	"encoding/json"
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
	// Attempts are those of the call, in the order of their start.
	Attempts []Attempt
	// Parts are several if a route's recovery let another target go on with an
	// answer that had broken off.
	Parts []Part
	// JSON is the answer as an OpenAI chat.completion object, members that only
	// this provider has included.
	JSON json.RawMessage
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
}

// An Attempt is one request that was sent for a call.
type Attempt struct {
	Provider, Target string
	Reason           Reason
	// KeyIndex says which key of the provider was used, from 0.
	KeyIndex int
	// Status is zero or the class of the failure, Message a line about it.
	Status     Status
	Message    string
	HTTPStatus int
	RequestID  string
	// Won tells that the answer came from this attempt.
	Won              bool
	ReusedConnection bool
	// Start is when it began, counted from the call's acceptance.
	Start time.Duration
	Usage Usage

	BytesSent, BytesReceived, SkippedEvents int64

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

// Message gives the assistant's message of the first choice, tool calls and
// members of this provider included, so that the conversation can go on.
func (r *Response) Message() Message {
	var answer struct {
		Choices []struct{ Message json.RawMessage }
	}
	if json.Unmarshal(r.JSON, &answer) == nil && len(answer.Choices) > 0 {
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
	}
}

func copyAttempts(from *C.shim_attempt, count C.size_t) []Attempt {
	if count == 0 {
		return nil
	}
	attempts := make([]Attempt, count)
	flat := view(from, count)
	for i := range flat {
		a, to := &flat[i], &attempts[i]
		to.Provider = str(a.provider)
		to.Target = str(a.target)
		to.Reason = Reason(a.reason)
		to.KeyIndex = int(a.key_index)
		to.Status = Status(a.status)
		to.Message = str(a.message)
		to.HTTPStatus = int(a.http_status)
		to.RequestID = str(a.request_id)
		to.Won = a.won != 0
		to.ReusedConnection = a.reused_connection != 0
		to.Start = time.Duration(a.start_ns)
		to.Usage = copyUsage(&a.usage)
		to.BytesSent = int64(a.bytes_sent)
		to.BytesReceived = int64(a.bytes_received)
		to.SkippedEvents = int64(a.skipped_events)
		for p, ns := range a.phase_ns {
			to.phases[p] = time.Duration(ns)
		}
	}
	return attempts
}

func copyChoices(from *C.shim_choice, count C.size_t) []Choice {
	choices := make([]Choice, 0, count)
	for _, c := range view(from, count) {
		choice := Choice{
			Text:               str(c.text),
			Reasoning:          str(c.reasoning),
			Refusal:            str(c.refusal),
			FinishReason:       str(c.finish_reason),
			NativeFinishReason: str(c.native_finish_reason),
		}
		for _, t := range view(c.tool_calls, c.tool_call_count) {
			choice.ToolCalls = append(choice.ToolCalls,
				ToolCall{ID: str(t.id), Name: str(t.name), Arguments: str(t.arguments)})
		}
		choices = append(choices, choice)
	}
	return choices
}

func copyResponse(r *C.shim_response) *Response {
	resp := &Response{
		ID:             str(r.id),
		Model:          str(r.model),
		RequestID:      str(r.request_id),
		Provider:       str(r.provider),
		Target:         str(r.target),
		Choices:        copyChoices(r.choices, r.choice_count),
		Usage:          copyUsage(&r.usage),
		UsageEstimated: r.usage_estimated != 0,
		TotalUsage:     copyUsage(&r.total_usage),
		Attempts:       copyAttempts(r.attempts, r.attempt_count),
		JSON:           C.GoBytes(unsafe.Pointer(r.json.at), C.int(r.json.len)),
	}
	for _, p := range view(r.parts, r.part_count) {
		resp.Parts = append(resp.Parts,
			Part{Attempt: int(p.attempt), Model: str(p.model), Bytes: int(p.bytes)})
	}
	return resp
}
