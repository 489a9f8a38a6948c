// SPDX-License-Identifier: MIT

package infer

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// What tests/shared/README.md calls the account of a call, and matching.

func isPiece(kind EventType) bool {
	return slices.Contains([]EventType{EventText, EventReasoning, EventRefusal, EventToolCallDelta}, kind)
}

// addPiece adds an event, with the pieces of a text joined, and without what
// came before a restart.
func addPiece(events []Event, event Event) []Event {
	if event.Type == EventRestart {
		events = nil
	}
	for i := len(events) - 1; i >= 0 && isPiece(event.Type) && isPiece(events[i].Type); i-- {
		begun := &events[i]
		if begun.Type == event.Type && begun.Choice == event.Choice && begun.Epoch == event.Epoch &&
			begun.ToolIndex == event.ToolIndex {
			begun.Text += event.Text
			return events
		}
	}
	return append(events, event)
}

func accountOfEvents(events []Event) []object {
	list := []object{}
	for _, event := range events {
		entry := object{"choice": event.Choice, "epoch": event.Epoch}
		switch event.Type {
		case EventUsage, EventLogprobs, EventExtra:
			entry[event.Type.String()] = json.RawMessage(event.Text)
		default:
			entry[event.Type.String()] = event.Text
		}
		if event.Type == EventToolCallDelta || event.Type == EventToolCallDone {
			entry["tool"], entry["id"], entry["name"] = event.ToolIndex, event.ToolID, event.ToolName
		}
		if event.Type == EventStart {
			entry["head"] = json.RawMessage(event.Head)
		}
		list = append(list, entry)
	}
	return list
}

func statusName(err error) string {
	var failure *Error
	switch {
	case err == nil:
		return "OK"
	case errors.As(err, &failure):
		return shortName(failure.Status)
	}
	return err.Error()
}

func shortName(status Status) string {
	return strings.TrimPrefix(strings.TrimPrefix(status.Name(), "INFER_"), "E_")
}

func addResult(account object, resp *Response, err error) {
	var attempts []Attempt
	var failure *Error
	if errors.As(err, &failure) {
		attempts = failure.Attempts
		account["error"] = accountOfError(failure)
	} else if resp != nil {
		attempts = resp.Attempts
		account["answer"] = accountOfAnswer(resp)
	}
	trail := []string{}
	for _, a := range attempts {
		trail = append(trail, fmt.Sprintf("%s %s %d %s", a.Target, a.Reason, a.HTTPStatus, shortName(a.Status)))
	}
	account["attempts"] = trail
}

func accountOfError(e *Error) object {
	account := object{"message": e.Message, "provider": e.Provider, "target": e.Target,
		"http_status": e.HTTPStatus, "request_id": e.RequestID, "provider_code": e.ProviderCode,
		"provider_type": e.ProviderType, "provider_param": e.ProviderParam,
		"provider_message": e.ProviderMessage, "retryable": e.Retryable, "retry_after_ms": -1, "partial": nil}
	if e.RetryAfter >= 0 {
		account["retry_after_ms"] = e.RetryAfter.Milliseconds()
	}
	if e.Partial != nil {
		account["partial"] = accountOfAnswer(e.Partial)
	}
	return account
}

func accountOfAnswer(r *Response) object {
	choices := []object{}
	for _, c := range r.Choices {
		calls := []object{}
		for _, call := range c.ToolCalls {
			calls = append(calls, object{"id": call.ID, "name": call.Name, "arguments": call.Arguments})
		}
		choices = append(choices, object{"text": c.Text, "reasoning": c.Reasoning, "refusal": c.Refusal,
			"finish_reason": c.FinishReason, "tool_calls": calls})
	}
	parts := []object{}
	for _, p := range r.Parts {
		parts = append(parts, object{"target": r.Attempts[p.Attempt].Target, "model": p.Model, "bytes": p.Bytes})
	}
	return object{"choices": choices, "usage": accountOfUsage(r.Usage), "total_usage": accountOfUsage(r.TotalUsage),
		"usage_estimated": r.UsageEstimated, "provider": r.Provider, "target": r.Target, "model": r.Model,
		"id": r.ID, "request_id": r.RequestID, "parts": parts, "json": r.JSON()}
}

func accountOfUsage(u Usage) object {
	return object{"input": u.Input, "output": u.Output, "reasoning": u.Reasoning,
		"cache_read": u.CacheRead, "cache_write": u.CacheWrite, "total": u.Total,
		"audio_input": u.AudioInput, "audio_output": u.AudioOutput}
}

// ---- Matching ---------------------------------------------------------------

// match holds what came against what is expected.
func match(t *testing.T, want, got any, path string) {
	switch want := want.(type) {
	case object:
		matchObject(t, want, got, path)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			t.Errorf("%s is %s, not %s", path, toJSON(t, got), toJSON(t, want))
			return
		}
		for i := range want {
			match(t, want[i], list[i], fmt.Sprintf("%s[%d]", path, i))
		}
	default:
		if !reflect.DeepEqual(want, got) {
			t.Errorf("%s is %s, not %s", path, toJSON(t, got), toJSON(t, want))
		}
	}
}

func matchObject(t *testing.T, want object, got any, path string) {
	members, isObject := got.(object)
	for name, expected := range want {
		value, found := members[name]
		place := path + "." + name
		switch {
		case strings.HasPrefix(name, "$"):
			if !passes(name, expected, got) {
				t.Errorf("%s is %s, not %s", path, toJSON(t, got), toJSON(t, want))
			}
		case !isObject:
			t.Errorf("%s is %s, not %s", path, toJSON(t, got), toJSON(t, want))
		case found:
			match(t, expected, value, place)
		case !isAbsence(expected):
			t.Errorf("%s is not there", place)
		}
	}
}

func isAbsence(expected any) bool {
	tests, _ := expected.(object)
	return tests["$absent"] == true
}

// passes makes one of the tests that stand in place of a value.
func passes(test string, want, got any) bool {
	text, isText := got.(string)
	number, isNumber := got.(float64)
	switch test {
	case "$has":
		return isText && hasText(text, want)
	case "$lacks":
		return isText && !hasText(text, want)
	case "$at_least":
		return isNumber && number >= want.(float64)
	case "$at_most":
		return isNumber && number <= want.(float64)
	}
	return false // $absent, of what is there, and what README.md does not name
}

func hasText(text string, want any) bool {
	if list, ok := want.([]any); ok {
		return !slices.ContainsFunc(list, func(one any) bool { return !hasText(text, one) })
	}
	return strings.Contains(text, want.(string))
}
