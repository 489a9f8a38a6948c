// SPDX-License-Identifier: MIT

package infer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"libinfer/infer/internal/sim"
)

// The scenarios that the bindings of all languages share: what they mean is
// told by tests/shared/README.md.

const patience = 30 * time.Second // for the end of a call

type object = map[string]any

type sharedCall struct {
	Request    json.RawMessage   `json:"request"`
	DeadlineMs int64             `json:"deadline_ms"`
	Labels     []string          `json:"labels"`
	Headers    map[string]string `json:"headers"`
	Policy     map[string]int64  `json:"policy"`
	RunOnce    bool              `json:"run_once"`
	Cancel     struct {
		At      string `json:"at"`
		AfterMs int64  `json:"after_ms"`
	} `json:"cancel"`
	Expect object `json:"expect"`
}

type sharedScenario struct {
	Name      string       `json:"name"`
	Modes     []string     `json:"modes"`
	Providers []object     `json:"providers"`
	Config    object       `json:"config"`
	Calls     []sharedCall `json:"calls"`
	Seen      []any        `json:"seen"`
}

func TestShared(t *testing.T) {
	files, err := filepath.Glob("../../tests/shared/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		for _, scenario := range readScenarios(t, file) {
			for _, mode := range scenario.Modes {
				t.Run(scenario.Name+"/"+mode, func(t *testing.T) { runShared(t, scenario, mode) })
			}
		}
	}
}

func readScenarios(t *testing.T, file string) []sharedScenario {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var scenarios []sharedScenario
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&scenarios); err != nil || len(scenarios) == 0 {
		t.Fatalf("%s: %d scenarios, %v", file, len(scenarios), err)
	}
	for i := range scenarios {
		s := &scenarios[i]
		if s.Modes == nil {
			s.Modes = []string{"whole", "stream"}
		}
		if s.Name == "" || s.Providers == nil || len(s.Calls) == 0 || s.Seen == nil || len(s.Modes) == 0 {
			t.Fatalf("%s: scenario %d (%s) lacks a member", file, i, s.Name)
		}
	}
	return scenarios
}

func runShared(t *testing.T, s sharedScenario, mode string) {
	if mode != "whole" && mode != "stream" {
		t.Fatalf("there is no mode %q", mode)
	}
	checkLeaks(t)
	sims := map[string]*sim.Sim{}
	client := sharedClient(t, s, sims)
	for i := range s.Calls {
		expectCall(t, client, &s.Calls[i], mode == "stream")
	}
	match(t, s.Seen, seenBy(sims, s.Seen), "seen")
}

// sharedClient starts the providers and makes a client of them.
func sharedClient(t *testing.T, s sharedScenario, sims map[string]*sim.Sim) *Client {
	document := object{}
	for name, value := range s.Config {
		document[name] = value
	}
	providers := []object{}
	for _, given := range s.Providers {
		provider := object{"type": "openai", "proxy": "none"}
		for name, value := range given {
			provider[name] = value
		}
		if script, ok := given["sim"]; ok {
			name := given["name"].(string)
			text := strings.ReplaceAll(toJSON(t, script), "'", `\u0027`)
			sims[name] = sim.Start(t, text)
			provider["base_url"] = sims[name].URL()
			delete(provider, "sim")
		}
		providers = append(providers, provider)
	}
	document["providers"] = providers
	config, err := ParseConfig([]byte(toJSON(t, document)))
	if err != nil {
		t.Fatal(err)
	}
	client, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func toJSON(t *testing.T, value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// seenBy gives what the providers have seen, once all that is expected ended.
func seenBy(sims map[string]*sim.Sim, expected []any) any {
	log := []any{}
	for name, s := range sims {
		want := 0
		for _, entry := range expected {
			if entry.(object)["provider"] == name {
				want++
			}
		}
		for _, entry := range endedEntries(s, want) {
			entry["provider"] = name
			log = append(log, entry)
		}
	}
	at := func(entry any) float64 { return entry.(object)["received_monotonic_ns"].(float64) }
	slices.SortFunc(log, func(a, b any) int { return int(at(a) - at(b)) })
	return log
}

func endedEntries(s *sim.Sim, want int) []object {
	for until := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		entries, ended := s.Entries(), 0
		for _, entry := range entries {
			if entry["end"] != "open" && entry["end"] != "silent" {
				ended++
			}
		}
		if ended >= want || time.Now().After(until) {
			return entries
		}
	}
}

// ---- A call and its account -------------------------------------------------

func expectCall(t *testing.T, client *Client, call *sharedCall, stream bool) {
	want := object{}
	for name, value := range call.Expect {
		want[name] = value
	}
	if _, ok := want["events"]; !ok && stream || call.Request == nil || len(want) == 0 {
		t.Fatal("a call needs a request, and an expectation, in mode stream of events")
	}
	if !stream {
		delete(want, "events")
	}
	var got any
	account := makeCall(client, call, stream)
	if err := json.Unmarshal([]byte(toJSON(t, account)), &got); err != nil {
		t.Fatal(err)
	}
	match(t, want, got, "call")
}

func makeCall(client *Client, call *sharedCall, stream bool) object {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer time.AfterFunc(patience, cancel).Stop()
	if call.DeadlineMs > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, time.Duration(call.DeadlineMs)*time.Millisecond)
		defer stop()
	}
	req := &Request{JSON: call.Request, Headers: call.Headers, Policy: call.Policy, Labels: call.Labels,
		RunOnce: call.RunOnce}
	account := object{}
	begin := time.Now()
	var resp *Response
	var err error
	if stream {
		var events []object
		events, resp, err = readStream(client.Stream(ctx, req), call.Cancel.At, cancel)
		account["events"] = append(events, object{"done": statusName(err)})
	} else {
		if call.Cancel.AfterMs > 0 {
			defer time.AfterFunc(time.Duration(call.Cancel.AfterMs)*time.Millisecond, cancel).Stop()
		}
		resp, err = client.Chat(ctx, req)
	}
	account["took_ms"] = time.Since(begin).Milliseconds()
	account["status"] = statusName(err)
	if ctx.Err() != context.Canceled {
		addResult(account, resp, err)
	}
	return account
}

// readStream reads a stream to its end, which must be the only one.
func readStream(stream func(func(Event, error) bool), cancelAt string, cancel func()) ([]object, *Response, error) {
	var events []Event
	var done []Event
	var failure error
	cancelled := false
	for event, err := range stream {
		switch {
		case event.Type == EventDone:
			done = append(done, event)
			failure = err
		case !cancelled:
			events = addPiece(events, event)
			if event.Type.String() == cancelAt {
				cancelled = true
				cancel()
			}
		}
	}
	if len(done) != 1 {
		return nil, nil, fmt.Errorf("%d ends of the stream", len(done))
	}
	return accountOfEvents(events), done[0].Response, failure
}
