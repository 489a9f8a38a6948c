// SPDX-License-Identifier: MIT

package infer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"libinfer/infer/internal/sim"
)

const script = `{ 'defaults': { 'text': 'Hello from the simulator.' },
  'rules': [
    { 'when': { 'model': 'echo' }, 'do': { 'echo': true } },
    { 'when': { 'model': 'down' }, 'do': { 'status': 503 } },
    { 'when': { 'model': 'limited' },
      'do': { 'status': 429, 'headers': { 'retry-after': '7' } } },
    { 'when': { 'model': 'mute' }, 'do': { 'silence': true } },
    { 'when': { 'model': 'slow' },
      'do': { 'tokens': 1000, 'text': null, 'inter_token_ms': 20 } },
    { 'when': { 'model': 'long' },
      'do': { 'tokens': 20000, 'text': null } },
    { 'when': { 'model': 'cut' },
      'do': { 'cut': { 'after_tokens': 2 }, 'inter_token_ms': 100 } },
    { 'when': { 'model': 'think' },
      'do': { 'reasoning': 'Let me see.', 'text': 'Yes.' } },
    { 'when': { 'model': 'tool' },
      'do': { 'tool_calls': [ { 'id': 'call_1', 'name': 'get_weather',
                                'arguments': { 'city': 'Oslo' } } ] } } ] }`

// newClient makes a client of a simulator. The test fails if it leaves a
// goroutine or a handle behind.
func newClient(t testing.TB) (*Client, *sim.Sim) {
	t.Helper()
	checkLeaks(t)
	s := sim.Start(t, script)
	return clientOf(t, s), s
}

func clientOf(t testing.TB, s *sim.Sim) *Client {
	t.Helper()
	config := configOf(t, s)
	client, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func configOf(t testing.TB, s *sim.Sim) *Config {
	t.Helper()
	config := NewConfig()
	set(t, config, "providers.sim", map[string]any{
		OptionProviderType:    "openai",
		OptionProviderBaseURL: s.URL(),
		OptionProviderProxy:   "none",
		OptionProviderAPIKey:  "key",
	})
	set(t, config, "defaults."+OptionPolicyRetries, 0)
	set(t, config, "routes.safe."+OptionRouteTargets, []string{"sim/down", "sim/good"})
	set(t, config, "routes.safe."+OptionPolicyRetries, 1)
	set(t, config, "routes.hedged", map[string]any{
		OptionRouteTargets: []string{"sim/good"}, "hedge": map[string]any{}})
	set(t, config, "routes.again", map[string]any{
		OptionRouteTargets:   []string{"sim/cut", "sim/good"},
		OptionPolicyRecovery: "restart",
	})
	return config
}

func set(t testing.TB, config *Config, path string, value any) {
	t.Helper()
	if err := config.Set(path, value); err != nil {
		t.Fatal(err)
	}
}

// checkLeaks compares goroutines and handles at the end of the test with those
// of now.
func checkLeaks(t testing.TB) {
	goroutines := runtime.NumGoroutine()
	t.Cleanup(func() {
		for wait := time.Millisecond; ; wait *= 2 {
			runtime.GC() // for finalizers of configurations
			if runtime.NumGoroutine() <= goroutines && liveHandles() == 0 {
				return
			}
			if wait > 2*time.Second {
				break
			}
			time.Sleep(wait)
		}
		t.Errorf("%d goroutines, %d before; %d handles", runtime.NumGoroutine(), goroutines, liveHandles())
		if runtime.NumGoroutine() > goroutines {
			stacks := make([]byte, 1<<16)
			t.Logf("%s", stacks[:runtime.Stack(stacks, true)])
		}
	})
}

// bothWays runs a test with calls that wait in C, and with calls that the
// client's goroutine ends.
func bothWays(t *testing.T, test func(t *testing.T, client *Client, s *sim.Sim)) {
	for _, here := range []bool{true, false} {
		t.Run(fmt.Sprintf("here=%v", here), func(t *testing.T) {
			client, s := newClient(t)
			client.mayWait.Store(here)
			test(t, client, s)
		})
	}
}

func ask(model string) *Request {
	return &Request{Model: model, Messages: []Message{User("Say hello.")}}
}

func TestChat(t *testing.T) { bothWays(t, testChat) }

func testChat(t *testing.T, client *Client, _ *sim.Sim) {
	resp, err := client.Chat(context.Background(), ask("sim/good"))
	if err != nil {
		t.Fatal(err)
	}
	if resp.Text() != "Hello from the simulator." || resp.Choices[0].FinishReason != "stop" {
		t.Errorf("%+v", resp)
	}
	if resp.Target != "sim/good" || resp.Provider != "sim" || resp.Model != "good" || resp.ID == "" {
		t.Errorf("%+v", resp)
	}
	var answer struct {
		Usage struct {
			Input  int64 `json:"prompt_tokens"`
			Output int64 `json:"completion_tokens"`
		}
	}
	if err := json.Unmarshal(resp.JSON(), &answer); err != nil {
		t.Fatal(err)
	}
	want := answer.Usage
	if u := resp.Usage; want.Output <= 0 || u.Input != want.Input || u.Output != want.Output ||
		u.Total != want.Input+want.Output || u != resp.TotalUsage {
		t.Errorf("usage %+v of %s", u, resp.JSON())
	}
	if len(resp.Attempts) != 1 || !resp.Attempts[0].Won || resp.Attempts[0].Decision != "" || resp.Attempts[0].Phase(PhaseEnd) <= 0 ||
		resp.Attempts[0].Phase(PhaseTLS) != -1 || resp.Attempts[0].Phase(99) != -1 {
		t.Errorf("attempts %+v", resp.Attempts)
	}
	if resp.TotalCostNanoUSD != -1 || resp.CostKind != CostUnknown || resp.WastedCostNanoUSD != 0 ||
		resp.Attempts[0].CostNanoUSD != -1 || resp.Attempts[0].CostKind != CostUnknown {
		t.Errorf("a cost without a price: %+v", resp)
	}
	if len(resp.Parts) != 1 || resp.Parts[0].Attempt != 0 || resp.Parts[0].Bytes != len(resp.Text()) {
		t.Errorf("parts %+v", resp.Parts)
	}
}

// Texts that do not fit where the short ones go, and many of the short ones.
func TestLongTexts(t *testing.T) {
	client, _ := newClient(t)
	model := strings.Repeat("m", 300)
	resp, err := client.Chat(context.Background(), ask("sim/"+model))
	if err != nil {
		t.Fatal(err)
	}
	if resp.Model != model || resp.Target != "sim/"+model || resp.Attempts[0].Target != resp.Target ||
		resp.Provider != "sim" || resp.Choices[0].FinishReason != "stop" || resp.Parts[0].Model != model {
		t.Errorf("%+v", resp)
	}
}

// The JSON of an answer is there whatever comes between, for any goroutine.
func TestJSON(t *testing.T) { bothWays(t, testJSON) }

func testJSON(t *testing.T, client *Client, _ *sim.Sim) {
	var answers []*Response
	for _, model := range []string{"a", "b", "c"} {
		resp, err := client.Chat(context.Background(), ask("sim/"+model))
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, resp)
	}
	if _, err := client.Chat(context.Background(), ask("sim/down")); err == nil {
		t.Error("a failure succeeded")
	}
	expectModel(t, answers[0], "a")
	var group sync.WaitGroup
	for range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			expectModel(t, answers[1], "b")
		}()
	}
	client.Close()
	group.Wait()
	expectModel(t, answers[2], "c")
	if text := new(Response).JSON(); text != nil {
		t.Errorf("JSON of nothing: %s", text)
	}
}

func expectModel(t *testing.T, resp *Response, model string) {
	var answer struct{ ID, Model string }
	text := resp.JSON()
	if err := json.Unmarshal(text, &answer); err != nil || answer.Model != model || answer.ID != resp.ID {
		t.Errorf("%s, %v", text, err)
	}
}

// Of a large answer C keeps nothing.
func TestLargeAnswer(t *testing.T) {
	client, _ := newClient(t)
	resp, err := client.Chat(context.Background(), ask("sim/long"))
	if err != nil {
		t.Fatal(err)
	}
	if client.unsettled != nil {
		t.Error("the result is kept")
	}
	if n := len(resp.Text()); n < releaseBytes || len(resp.JSON()) < n {
		t.Errorf("%d bytes of text, %d of JSON", n, len(resp.JSON()))
	}
}

func TestChatReasoning(t *testing.T) {
	client, _ := newClient(t)
	resp, err := client.Chat(context.Background(), ask("sim/think"))
	if err != nil {
		t.Fatal(err)
	}
	if resp.Text() != "Yes." || resp.Choices[0].Reasoning != "Let me see." {
		t.Errorf("%+v", resp.Choices)
	}
}

// What a request says arrives at the provider.
func TestRequest(t *testing.T) {
	client, s := newClient(t)
	temperature := 0.25
	odd := "quote \" backslash \\ line \n tab \t nul \x00 unit \x1f é 漢 \u2028"
	req := &Request{
		Model: "sim/echo",
		Messages: []Message{System("Be brief."), {Role: "user", Text: "Look.", ImageURL: "https://example.com/a.png"},
			Assistant("Nice."), User(odd)},
		Tools:       []Tool{{Name: "a", Description: "b", Parameters: json.RawMessage(`{"type":"object"}`)}, {Name: "c"}},
		MaxTokens:   77,
		Temperature: &temperature,
		JSONSchema:  &JSONSchema{Name: "n", Schema: map[string]string{"type": "object"}},
		Params:      map[string]any{"seed": 5, "temperature": 0.5},
		Headers:     map[string]string{"x-mine": "yes"},
		Tags:        map[string]string{"k": "v"},
		Tenant:      "acme",
		RunOnce:     true,
	}
	resp, err := client.Chat(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Text() != odd {
		t.Errorf("echo %q, not %q", resp.Text(), odd)
	}
	seen := s.Log()[0]
	if seen.Headers["x-mine"] != "yes" {
		t.Errorf("headers %v", seen.Headers)
	}
	var body map[string]any
	if err := json.Unmarshal(seen.Body, &body); err != nil {
		t.Fatal(err)
	}
	messages := body["messages"].([]any)
	if len(messages) != 4 || body["max_tokens"] != 77.0 || body["temperature"] != 0.5 ||
		body["seed"] != 5.0 || len(body["tools"].([]any)) != 2 || body["response_format"] == nil {
		t.Errorf("body %s", seen.Body)
	}
	if parts := messages[1].(map[string]any)["content"].([]any); len(parts) != 2 {
		t.Errorf("message %v", messages[1])
	}
}

// A request of texts alone takes a way of its own, and arrives as JSON does.
func TestTexts(t *testing.T) {
	client, s := newClient(t)
	req := &Request{Model: "sim/echo", Messages: []Message{
		System(""), User("a \x00 \" \\ \n \x1f é 漢 \u2028"), Assistant("b"), User("c")}}
	body, err := req.body()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*Request{req, {JSON: body}} {
		if isTexts := r.texts() != nil; isTexts != (r.JSON == nil) {
			t.Errorf("texts: %v", isTexts)
		}
		if resp, err := client.Chat(context.Background(), r); err != nil || resp.Text() != "c" {
			t.Errorf("%v, %v", resp, err)
		}
	}
	if log := s.Log(); string(log[0].Body) != string(log[1].Body) {
		t.Errorf("%s is not %s", log[0].Body, log[1].Body)
	}
}

// No member of a request is lost on the way of texts.
func TestNotTexts(t *testing.T) {
	full := Request{Model: "m", MaxTokens: 1, Temperature: new(float64), JSONSchema: &JSONSchema{},
		Tools: make([]Tool, 1), Params: map[string]any{"a": 1}, JSON: json.RawMessage("{}")}
	others := []string{"Model", "Messages", "Headers", "Policy", "Labels", "Tags", "Tenant", "RunOnce"}
	for i := range reflect.TypeFor[Request]().NumField() {
		name := reflect.TypeFor[Request]().Field(i).Name
		if slices.Contains(others, name) {
			continue
		}
		req := ask("m")
		given := reflect.ValueOf(full).Field(i)
		reflect.ValueOf(req).Elem().Field(i).Set(given)
		if given.IsZero() || req.texts() != nil {
			t.Errorf("%s is lost", name)
		}
	}
	for _, m := range []Message{{ImageURL: "http://a"}, {ToolCallID: "a"}, {ToolCalls: make([]ToolCall, 1)},
		{JSON: json.RawMessage("{}")}, {Role: "a\x00b"}} {
		req := ask("m")
		req.Messages = append(req.Messages, m)
		if req.texts() != nil {
			t.Errorf("%+v is lost", m)
		}
	}
	for _, req := range []*Request{{Model: "m"}, ask("a\x00b")} {
		if req.texts() != nil {
			t.Errorf("%+v would be taken", req)
		}
	}
}

func TestRequestJSON(t *testing.T) {
	client, _ := newClient(t)
	req := &Request{JSON: json.RawMessage(`{"model":"sim/echo","messages":[{"role":"user","content":"Hi"}]}`)}
	resp, err := client.Chat(context.Background(), req)
	if err != nil || resp.Text() != "Hi" {
		t.Errorf("%v, %v", resp, err)
	}
}

func TestRefusedRequests(t *testing.T) { bothWays(t, testRefusedRequests) }

func testRefusedRequests(t *testing.T, client *Client, _ *sim.Sim) {
	with := func(change func(*Request)) *Request {
		req := ask("sim/good")
		change(req)
		return req
	}
	for name, test := range map[string]struct {
		req  *Request
		want Status
		says string
	}{
		"no messages":    {&Request{Model: "sim/good"}, ErrInvalidArgument, "messages"},
		"empty JSON":     {&Request{JSON: json.RawMessage{}}, ErrInvalidArgument, ""},
		"bad UTF-8 too":  {&Request{Model: "sim/good", Messages: []Message{User("\xff")}, MaxTokens: 1}, ErrInvalidArgument, "UTF-8"},
		"no model":       {ask(""), ErrInvalidArgument, "model"},
		"NUL in model":   {ask("a\x00b"), ErrInvalidArgument, "model"},
		"bad UTF-8":      {&Request{Model: "sim/good", Messages: []Message{User("\xff")}}, ErrInvalidArgument, "UTF-8"},
		"unknown model":  {ask("nowhere/good"), ErrConfig, "nowhere"},
		"header":         {with(func(r *Request) { r.Headers = map[string]string{"host": "x"} }), ErrInvalidArgument, `header "host"`},
		"NUL":            {with(func(r *Request) { r.Tenant = "a\x00b" }), ErrInvalidArgument, "NUL"},
		"policy":         {with(func(r *Request) { r.Policy = map[string]int64{"nothing": 1} }), ErrInvalidArgument, `policy "nothing"`},
		"no retries":     {with(func(r *Request) { r.Policy = map[string]int64{OptionPolicyRetries: -1} }), ErrInvalidArgument, `policy "retries"`},
		"label":          {with(func(r *Request) { r.Labels = []string{"private"} }), ErrNoTarget, "private"},
		"model in Param": {with(func(r *Request) { r.Params = map[string]any{"model": "x"} }), ErrInvalidArgument, "model"},
		"no JSON":        {with(func(r *Request) { r.Params = map[string]any{"x": func() {}} }), ErrInvalidArgument, "x: json"},
	} {
		_, err := client.Chat(context.Background(), test.req)
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v (%T)", name, err, err)
		}
		if _, err := client.Plan(test.req); err == nil && name != "label" {
			t.Errorf("%s: planned", name)
		}
	}
}

func TestStream(t *testing.T) {
	client, _ := newClient(t)
	var text strings.Builder
	var last Event
	types := map[EventType]int{}
	heads := "" // of the first event alone
	for event, err := range client.Stream(context.Background(), ask("sim/good")) {
		if err != nil {
			t.Fatal(err)
		}
		types[event.Type]++
		heads += event.Head
		if event.Type == EventText {
			text.WriteString(event.Text)
		}
		last = event
	}
	if text.String() != "Hello from the simulator." {
		t.Errorf("text %q", &text)
	}
	var head struct{ ID, Object, Model string }
	if json.Unmarshal([]byte(heads), &head) != nil || head.ID != last.Response.ID || head.Model != "good" ||
		head.Object != "chat.completion.chunk" {
		t.Errorf("heads %q", heads)
	}
	if types[EventStart] != 1 || types[EventFinish] != 1 || types[EventDone] != 1 {
		t.Errorf("events %v", types)
	}
	if last.Type != EventDone || last.Response.Text() != text.String() {
		t.Errorf("last %+v", last)
	}
}

func TestRecv(t *testing.T) {
	client, _ := newClient(t)
	s, err := client.Open(context.Background(), ask("sim/good"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var events []Event
	for {
		event, err := s.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, event)
	}
	if len(events) < 3 || events[0].Type != EventStart || events[0].Text != "sim/good" ||
		events[len(events)-1].Type != EventDone || events[len(events)-1].Response == nil {
		t.Errorf("%+v", events)
	}
	if _, err := s.Recv(); err != io.EOF {
		t.Errorf("after the end: %v", err)
	}
}

func TestToolCalls(t *testing.T) {
	client, s := newClient(t)
	var done Event
	var pieces string
	for event, err := range client.Stream(context.Background(), ask("sim/tool")) {
		if err != nil {
			t.Fatal(err)
		}
		switch event.Type {
		case EventToolCallDelta:
			pieces += event.Text
		case EventToolCallDone:
			done = event
		case EventDone:
			calls := event.Response.ToolCalls()
			if len(calls) != 1 || calls[0] != (ToolCall{done.ToolID, done.ToolName, done.Text}) {
				t.Errorf("calls %+v, event %+v", calls, done)
			}
			req := ask("sim/echo")
			req.Messages = append(req.Messages, event.Response.Message(),
				ToolResult(calls[0].ID, "sunny"), User("And?"))
			if _, err := client.Chat(context.Background(), req); err != nil {
				t.Error(err)
			}
		}
	}
	if done.ToolID != "call_1" || done.ToolName != "get_weather" || !strings.Contains(done.Text, "Oslo") ||
		pieces != done.Text {
		t.Errorf("done %+v, pieces %q", done, pieces)
	}
	var body struct {
		Messages []struct {
			Role, Content string
			ToolCalls     []struct{ ID string } `json:"tool_calls"`
			ToolCallID    string                `json:"tool_call_id"`
		}
	}
	if err := json.Unmarshal(s.Log()[1].Body, &body); err != nil {
		t.Fatal(err)
	}
	m := body.Messages
	if len(m) != 4 || m[1].Role != "assistant" || len(m[1].ToolCalls) != 1 || m[1].ToolCalls[0].ID != "call_1" ||
		m[2].Role != "tool" || m[2].ToolCallID != "call_1" || m[2].Content != "sunny" {
		t.Errorf("messages %+v", m)
	}
	// The same from fields alone.
	req := ask("sim/echo")
	req.Messages = append(req.Messages,
		Message{Role: "assistant", ToolCalls: []ToolCall{{"call_2", "f", "{}"}}}, ToolResult("call_2", "x"))
	if _, err := client.Chat(context.Background(), req); err != nil {
		t.Error(err)
	}
}

func TestRestart(t *testing.T) {
	client, _ := newClient(t)
	var text strings.Builder
	restarts := 0
	for event, err := range client.Stream(context.Background(), ask("again")) {
		if err != nil {
			t.Fatal(err)
		}
		switch event.Type {
		case EventText:
			text.WriteString(event.Text)
		case EventRestart:
			if event.Epoch != 1 || event.Text == "" || text.Len() == 0 {
				t.Errorf("%+v after %q", event, &text)
			}
			text.Reset()
			restarts++
		}
	}
	if restarts != 1 || text.String() != "Hello from the simulator." {
		t.Errorf("%d restarts, %q", restarts, &text)
	}
}

func TestRecords(t *testing.T) {
	client, _ := newClient(t)
	if err := client.SetRecords(true); err != nil {
		t.Fatal(err)
	}
	records, last := 0, Event{}
	for event, err := range client.Stream(context.Background(), ask("hedged")) {
		if err != nil {
			t.Fatal(err)
		}
		if event.Attempt != nil {
			records++
			if !event.Attempt.Won || event.Attempt.Target == "" {
				t.Errorf("%+v", event.Attempt)
			}
		}
		last = event
	}
	if records != 1 || last.Type != EventDone || last.Attempt != nil {
		t.Errorf("%d records, %+v", records, last)
	}
}

func TestStats(t *testing.T) {
	client, _ := newClient(t)
	stats, err := client.Stats()
	if err != nil || len(stats.Hedging) != 0 || !strings.HasPrefix(string(stats.JSON), `{"hedging":{},"spend":{`) {
		t.Fatalf("%+v, %v", stats, err)
	}
	if _, err = client.Chat(context.Background(), ask("hedged")); err != nil {
		t.Fatal(err)
	}
	if stats, err = client.Stats(); err != nil {
		t.Fatal(err)
	}
	hedges, ok := stats.Hedging["hedged"]
	why, told := hedges.Suppressed["budget"]
	if !ok || hedges.Sent != 0 || hedges.DelayMs != nil || hedges.CallsCost <= 0 ||
		!told || why != 0 {
		t.Errorf("%s", stats.JSON)
	}
	metrics, err := client.Metrics()
	if err != nil || !strings.Contains(string(metrics), `route="hedged"} 1`) {
		t.Errorf("%v, %s", err, metrics)
	}
	client.Close()
	if _, err = client.Stats(); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err = client.Metrics(); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestFailover(t *testing.T) {
	client, _ := newClient(t)
	plan, err := client.Plan(ask("safe"))
	if err != nil || len(plan) != 2 || plan[0].Target != "sim/down" || plan[1].Status != 0 {
		t.Errorf("plan %+v, %v", plan, err)
	}
	resp, err := client.Chat(context.Background(), ask("safe"))
	if err != nil {
		t.Fatal(err)
	}
	trail := ""
	for _, a := range resp.Attempts {
		trail += fmt.Sprintf("%s %v %s; ", a.Target, a.Reason, a.Status.Name())
	}
	if !strings.HasPrefix(trail, "sim/down first INFER_E_OVERLOADED; ") ||
		!strings.HasSuffix(trail, "sim/good failover INFER_OK; ") {
		t.Error(trail)
	}
}

// A call may say its own retries and timeouts.
func TestPolicy(t *testing.T) {
	bothWays(t, func(t *testing.T, client *Client, _ *sim.Sim) {
		attempts := func(retries int64) int {
			req := ask("sim/down")
			req.Policy = map[string]int64{OptionPolicyRetries: retries}
			_, err := client.Chat(context.Background(), req)
			var e *Error
			if !errors.As(err, &e) || e.Status != ErrOverloaded {
				t.Fatal(err)
			}
			return len(e.Attempts)
		}
		if one, two := attempts(0), attempts(1); one != 1 || two != 2 {
			t.Errorf("%d and %d attempts", one, two)
		}
		req := ask("sim/mute")
		req.Policy = map[string]int64{OptionPolicyTimeoutsFirstTokenMs: 50}
		if _, err := client.Chat(context.Background(), req); !errors.Is(err, ErrFirstTokenTimeout) {
			t.Error(err)
		}
	})
}

func TestCosts(t *testing.T) {
	s := sim.Start(t, script)
	config := configOf(t, s)
	set(t, config, "providers.sim.prices", map[string]any{"good": map[string]any{"input": 1, "output": 2}})
	client, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	resp, err := client.Chat(context.Background(), ask("sim/good"))
	if err != nil {
		t.Fatal(err)
	}
	cost := 1000*resp.Usage.Input + 2000*resp.Usage.Output
	if resp.TotalCostNanoUSD != cost || resp.WastedCostNanoUSD != 0 || resp.CostKind != CostExact ||
		resp.Attempts[0].CostNanoUSD != cost || resp.Attempts[0].CostKind != CostExact {
		t.Errorf("%+v, wanted %d", resp, cost)
	}
	_, err = client.Chat(context.Background(), ask("sim/limited"))
	var e *Error
	if !errors.As(err, &e) || e.TotalCostNanoUSD != 0 || e.CostKind != CostExact {
		t.Errorf("%+v", err)
	}
}

func TestErrors(t *testing.T) { bothWays(t, testErrors) }

func testErrors(t *testing.T, client *Client, _ *sim.Sim) {
	_, err := client.Chat(context.Background(), ask("sim/limited"))
	var e *Error
	if !errors.Is(err, ErrRateLimited) || errors.Is(err, ErrServer) || !errors.As(err, &e) {
		t.Fatalf("%v (%T)", err, err)
	}
	var status Status
	if !errors.As(err, &status) || status != ErrRateLimited {
		t.Errorf("status %v", status)
	}
	if e.HTTPStatus != 429 || e.RetryAfter != 7*time.Second || !e.Retryable || e.Target != "sim/limited" ||
		e.Provider != "sim" || len(e.Attempts) != 1 || e.Partial != nil || e.Timeout() ||
		e.Attempts[0].Decision == "" || !strings.Contains(e.Error(), "rate limited") {
		t.Errorf("%+v", e)
	}
	for event, err := range client.Stream(context.Background(), ask("sim/cut")) {
		if err == nil {
			continue
		}
		if !errors.As(err, &e) || e.Status != ErrTruncated || event.Type != EventDone ||
			e.Partial == nil || e.Partial.Text() == "" || e.RetryAfter >= 0 {
			t.Errorf("%+v", err)
		}
	}
	if Status(-999).Error() == "" || Status(-999).Name() != "INFER_E_UNKNOWN" || EventType(99).String() != "unknown(99)" {
		t.Error("unknown values have no names")
	}
}

func TestContext(t *testing.T) { bothWays(t, testContext) }

func testContext(t *testing.T, client *Client, s *sim.Sim) {
	t.Run("deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := client.Chat(ctx, ask("sim/mute"))
		var e *Error
		if !errors.Is(err, ErrDeadline) || !errors.Is(err, context.DeadlineExceeded) ||
			!errors.As(err, &e) || !e.Timeout() {
			t.Errorf("%v", err)
		}
		if took := time.Since(start); took < 90*time.Millisecond || took > 2*time.Second {
			t.Errorf("took %v", took)
		}
	})
	t.Run("deadline of the library", func(t *testing.T) {
		// The context's timer never fires: only the library can end this.
		ctx := deadlineOnly{context.Background(), time.Now().Add(50 * time.Millisecond)}
		if _, err := client.Chat(ctx, ask("sim/mute")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
	t.Run("cancel", func(t *testing.T) {
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(context.Background())
		time.AfterFunc(50*time.Millisecond, func() { cancel(cause) })
		_, err := client.Chat(ctx, ask("sim/mute"))
		if !errors.Is(err, ErrCancelled) || !errors.Is(err, cause) {
			t.Errorf("%v", err)
		}
	})
	t.Run("cancelled before", func(t *testing.T) {
		seen := len(s.Log())
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := client.Chat(ctx, ask("sim/good")); !errors.Is(err, context.Canceled) || !errors.Is(err, ErrCancelled) {
			t.Errorf("%v", err)
		}
		ctx, cancel = context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
		defer cancel()
		if _, err := client.Chat(ctx, ask("sim/good")); !errors.Is(err, ErrDeadline) {
			t.Errorf("%v", err)
		}
		if n := len(s.Log()); n != seen {
			t.Errorf("%d requests were sent", n-seen)
		}
	})
	t.Run("stream", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		pieces := 0
		var last error
		for event, err := range client.Stream(ctx, ask("sim/slow")) {
			if event.Type == EventText {
				pieces++
				cancel()
			}
			last = err
		}
		var e *Error
		if pieces == 0 || !errors.Is(last, context.Canceled) || !errors.As(last, &e) || e.Partial == nil {
			t.Errorf("%d pieces, %v", pieces, last)
		}
		awaitEnd(t, s)
	})
}

// deadlineOnly is a context that tells its deadline and never ends.
type deadlineOnly struct {
	context.Context
	until time.Time
}

func (d deadlineOnly) Deadline() (time.Time, bool) { return d.until, true }

// awaitEnd waits for the provider to see that the client has left.
func awaitEnd(t *testing.T, s *sim.Sim) {
	t.Helper()
	end := ""
	for i := 0; i < 200; i++ {
		log := s.Log()
		if end = log[len(log)-1].End; end != "open" && end != "silent" {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if end != "client_closed" {
		t.Errorf("the request's end is %q", end)
	}
}

// To leave the loop ends the call.
func TestBreak(t *testing.T) {
	client, s := newClient(t)
	for event, err := range client.Stream(context.Background(), ask("sim/slow")) {
		if err != nil {
			t.Fatal(err)
		}
		if event.Type == EventText {
			break
		}
	}
	awaitEnd(t, s)
}

func TestStreamClose(t *testing.T) {
	client, s := newClient(t)
	stream, err := client.Open(context.Background(), ask("sim/mute"))
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, func() { stream.Close() })
	for err == nil {
		_, err = stream.Recv()
	}
	if !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	stream.Close()
	awaitEnd(t, s)
}

// Nobody reads a closed stream: what still comes is not kept.
func TestCloseUnread(t *testing.T) {
	client, s := newClient(t)
	stream, err := client.Open(context.Background(), ask("sim/slow"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	k := stream.call
	k.mu.Lock()
	handle := k.handle
	k.handle = nil // so that Close does not cancel the call
	k.mu.Unlock()
	stream.Close()
	time.Sleep(100 * time.Millisecond)
	k.mu.Lock()
	k.handle = handle
	if len(k.events) > 0 {
		t.Errorf("%d events are kept", len(k.events))
	}
	k.mu.Unlock()
	k.cancel()
	awaitEnd(t, s)
}

// Many goroutines, some of which give up.
func TestConcurrent(t *testing.T) {
	client, _ := newClient(t)
	const streams = 200
	var group sync.WaitGroup
	for i := range streams {
		group.Add(1)
		go func() {
			defer group.Done()
			text := fmt.Sprintf("This is the question of number %d.", i)
			req := &Request{Model: "sim/echo", Messages: []Message{User(text)}}
			if i%10 == 9 {
				ctx, cancel := context.WithCancel(context.Background())
				time.AfterFunc(time.Duration(i)*time.Millisecond/10, cancel)
				for _, err := range client.Stream(ctx, ask("sim/slow")) {
					if err != nil && !errors.Is(err, context.Canceled) {
						t.Errorf("%d: %v", i, err)
					}
				}
				return
			}
			if i%3 == 0 {
				resp, err := client.Chat(context.Background(), req)
				if err != nil || resp.Text() != text {
					t.Errorf("%d: %v, %v", i, resp, err)
				}
				return
			}
			got := ""
			for event, err := range client.Stream(context.Background(), req) {
				if err != nil {
					t.Errorf("%d: %v", i, err)
				}
				if event.Type == EventText {
					got += event.Text
				}
			}
			if got != text {
				t.Errorf("%d: %q", i, got)
			}
		}()
	}
	group.Wait()
}

// A reader that sleeps holds up nobody, and misses nothing.
func TestSlowReader(t *testing.T) {
	client, _ := newClient(t)
	stream, err := client.Open(context.Background(), ask("sim/long"))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Chat(context.Background(), ask("sim/good")); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	var text strings.Builder
	for {
		event, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if event.Type == EventText {
			text.WriteString(event.Text)
		}
		if event.Type == EventDone {
			if text.String() != event.Response.Text() || text.Len() < 20000 {
				t.Errorf("%d bytes, not %d", text.Len(), len(event.Response.Text()))
			}
			return
		}
	}
}

func TestMergeText(t *testing.T) {
	text := func(s string, choice int) Event { return Event{Type: EventText, Text: s, Choice: choice} }
	got := mergeText([]Event{{Type: EventStart}, text("a", 0), text("b", 0), text("c", 1),
		{Type: EventReasoning, Text: "d", Choice: 1}, {Type: EventLogprobs, Text: "[]"},
		{Type: EventToolCallDelta, Text: "e"}, {Type: EventToolCallDelta, Text: "f"},
		{Type: EventToolCallDelta, Text: "g", ToolIndex: 1}, {Type: EventToolCallDone, Text: "g", ToolIndex: 1},
		text("h", 0), {Type: EventText, Text: "i", Epoch: 1}})
	var lines []string
	for _, e := range got {
		lines = append(lines, fmt.Sprint(e.Type, e.Choice, e.Epoch, e.ToolIndex, e.Text))
	}
	want := "start0 0 0 \ntext0 0 0 ab\ntext1 0 0 c\nreasoning1 0 0 d\nlogprobs0 0 0 []\n" +
		"tool_call_delta0 0 0 ef\ntool_call_delta0 0 1 g\ntool_call_done0 0 1 g\ntext0 0 0 h\ntext0 1 0 i"
	if s := strings.ReplaceAll(strings.Join(lines, "\n"), "  ", " "); normal(s) != normal(want) {
		t.Errorf("got\n%s", s)
	}
	long := strings.Repeat("x", mergeBytes)
	if got := mergeText([]Event{text(long, 0), text("y", 0), text("z", 0)}); len(got) != 2 || got[1].Text != "yz" {
		t.Errorf("%d events", len(got))
	}
}

func normal(s string) string { return strings.ReplaceAll(s, " ", "") }

func TestClose(t *testing.T) {
	client, _ := newClient(t)
	failed := make(chan error)
	for range 2 {
		go func() {
			_, err := client.Chat(context.Background(), ask("sim/mute"))
			failed <- err
		}()
	}
	time.Sleep(50 * time.Millisecond)
	client.Close()
	for range 2 {
		if err := <-failed; !errors.Is(err, ErrCancelled) {
			t.Error(err)
		}
	}
	client.Close()
	if _, err := client.Chat(context.Background(), ask("sim/good")); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := client.Plan(ask("sim/good")); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestShutdown(t *testing.T) {
	client, s := newClient(t)
	answered := make(chan error)
	start := func(client *Client, model string) {
		go func() {
			_, err := client.Chat(context.Background(), ask(model))
			answered <- err
		}()
		for i := 0; i < 200 && len(s.Log()) == 0; i++ {
			time.Sleep(5 * time.Millisecond)
		}
	}
	start(client, "sim/cut") // takes 100 ms, then fails: that is its own end
	if err := client.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if err := <-answered; !errors.Is(err, ErrTruncated) {
		t.Error(err)
	}
	client = clientOf(t, s)
	go func() {
		_, err := client.Chat(context.Background(), ask("sim/mute"))
		answered <- err
	}()
	time.Sleep(50 * time.Millisecond)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := client.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if err := <-answered; !errors.Is(err, ErrCancelled) {
		t.Error(err)
	}
}

func TestConfig(t *testing.T) {
	checkLeaks(t)
	if _, err := ParseConfig([]byte("{\n nonsense")); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "line 2") {
		t.Error(err)
	}
	if _, err := ParseConfig(nil); !errors.Is(err, ErrConfig) {
		t.Error(err)
	}
	if _, err := LoadConfig("/nowhere/infer.json"); !errors.Is(err, ErrIO) {
		t.Error(err)
	}
	config, err := ParseConfig([]byte(`{"providers":[{"name":"a","type":"openai","api_key":"secret"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if text := config.String(); strings.Contains(text, "secret") || !json.Valid([]byte(text)) {
		t.Error(text)
	}
	if err := config.Check(); err != nil {
		t.Error(err)
	}
	set(t, config, "routes.fast.no_such_option", 1)
	if err := config.Check(); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "routes.fast.no_such_option") {
		t.Error(err)
	}
	if _, err := New(config); !errors.Is(err, ErrConfig) {
		t.Error(err)
	}
	set(t, config, "routes.fast", nil)
	set(t, config, OptionThreads, 0)
	if _, err := New(config); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "threads") {
		t.Error(err)
	}
	if err := config.Set("x-y", func() {}); !errors.Is(err, ErrConfig) {
		t.Error(err)
	}
	file := t.TempDir() + "/infer.json"
	if err := os.WriteFile(file, []byte(`{"x-mine":1}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadConfig(file); err != nil {
		t.Error(err)
	}
}

// A configuration that nobody has any more is freed, also among other small
// objects that live on.
func TestConfigsAreFreed(t *testing.T) {
	checkLeaks(t)
	var kept []*int
	for i := range 1000 {
		NewConfig()
		kept = append(kept, &i)
	}
	for wait := time.Millisecond; liveHandles() > 0 && wait < 2*time.Second; wait *= 2 {
		runtime.GC()
		time.Sleep(wait)
	}
	if n := liveHandles(); n > 0 {
		t.Errorf("%d are left", n)
	}
	runtime.KeepAlive(kept)
}

func TestReload(t *testing.T) {
	client, s := newClient(t)
	if _, err := client.Chat(context.Background(), ask("new")); !errors.Is(err, ErrConfig) {
		t.Error(err)
	}
	config := configOf(t, s)
	set(t, config, "routes.new."+OptionRouteTargets, []string{"sim/good"})
	if err := client.Reload(config); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Chat(context.Background(), ask("new")); err != nil {
		t.Error(err)
	}
	set(t, config, "routes.new.nonsense", 1)
	if err := client.Reload(config); !errors.Is(err, ErrConfig) {
		t.Error(err)
	}
}

func TestModelsAndPrewarm(t *testing.T) {
	client, _ := newClient(t)
	models, err := client.Models(context.Background(), "sim")
	found := false
	for _, m := range models {
		found = found || m.ID == "echo" && json.Valid(m.JSON)
	}
	if err != nil || !found {
		t.Errorf("%v, %v", models, err)
	}
	report, err := client.Prewarm(context.Background(), "safe")
	if err != nil || len(report) != 1 || report[0].Provider != "sim" || report[0].Status != 0 ||
		report[0].Reached < WarmLookup || report[0].Took < 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if _, err := client.Prewarm(context.Background(), "nowhere"); !errors.Is(err, ErrConfig) {
		t.Error(err)
	}
	if _, err := client.Models(context.Background(), "nowhere"); !errors.Is(err, ErrConfig) {
		t.Error(err)
	}
}

// Whatever takes no text with a NUL refuses it; it would be cut there.
func TestNUL(t *testing.T) {
	client, s := newClient(t)
	for what, err := range map[string]error{
		"Models":     second(client.Models(context.Background(), "sim\x00")),
		"Prewarm":    second(client.Prewarm(context.Background(), "safe\x00")),
		"LoadConfig": second(LoadConfig("/dev/null\x00")),
		"Set":        configOf(t, s).Set("max_calls\x00", 1),
	} {
		if !errors.Is(err, ErrInvalidArgument) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// To ask for models ends with its context, and with its client.
func TestModelsEnd(t *testing.T) {
	checkLeaks(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // nobody answers there
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	open := func() *Client {
		config := NewConfig()
		set(t, config, "providers.sim", map[string]any{
			OptionProviderType:    "openai",
			OptionProviderBaseURL: "http://" + silent.Addr().String(),
			OptionProviderProxy:   "none",
			OptionProviderAPIKey:  "key",
		})
		client, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		return client
	}
	client := open()
	defer client.Close()
	t.Run("cancelled", func(t *testing.T) {
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(context.Background())
		time.AfterFunc(50*time.Millisecond, func() { cancel(cause) })
		_, err := client.Models(ctx, "sim")
		if !errors.Is(err, ErrCancelled) || !errors.Is(err, cause) {
			t.Error(err)
		}
	})
	t.Run("cancelled before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := client.Models(ctx, "sim"); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Run("deadline", func(t *testing.T) {
		ctx := deadlineOnly{context.Background(), time.Now().Add(50 * time.Millisecond)}
		if _, err := client.Models(ctx, "sim"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
	t.Run("closed", func(t *testing.T) {
		client := open()
		time.AfterFunc(50*time.Millisecond, func() { client.Close() })
		if _, err := client.Models(context.Background(), "sim"); !errors.Is(err, ErrCancelled) {
			t.Error(err)
		}
		if _, err := client.Models(context.Background(), "sim"); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	})
}

func TestVersion(t *testing.T) {
	if Version() == "" {
		t.Error("none")
	}
}

// Close may come before the client's goroutine has begun.
func TestCloseAtOnce(t *testing.T) {
	checkLeaks(t)
	s := sim.Start(t, script)
	config := configOf(t, s)
	for range 100 {
		client, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		client.Close()
	}
}

// Close at any moment: every call ends, and none begins afterwards.
func TestCloseAmidst(t *testing.T) {
	checkLeaks(t)
	s := sim.Start(t, script)
	for i := range 20 {
		client := clientOf(t, s)
		var group sync.WaitGroup
		for n := range 8 {
			group.Add(1)
			go func() {
				defer group.Done()
				var err error
				for err == nil {
					if n%2 == 0 {
						_, err = client.Chat(context.Background(), ask("sim/good"))
						continue
					}
					for _, err = range client.Stream(context.Background(), ask("sim/good")) {
						if err != nil {
							break
						}
					}
				}
				if !errors.Is(err, ErrClosed) && !errors.Is(err, ErrCancelled) {
					t.Error(err)
				}
			}()
		}
		time.Sleep(time.Duration(i) * time.Millisecond)
		if i%2 == 0 {
			group.Add(1)
			go func() {
				defer group.Done()
				client.Shutdown(context.Background())
			}()
		}
		client.Close()
		group.Wait()
	}
}

func TestEmbedKeepsTheOrder(t *testing.T) {
	client, _ := newClient(t)
	ctx := context.Background()
	texts := []string{"one", "two", "three"}
	all, err := client.Embed(ctx, &EmbedRequest{Model: "sim/m", Inputs: texts, Dimensions: 4})
	if err != nil {
		t.Fatal(err)
	}
	if len(all.Vectors) != 3 || all.Model != "m" || all.InputTokens < 1 {
		t.Fatalf("%+v", all)
	}
	for i, text := range texts {
		one, err := client.Embed(ctx, &EmbedRequest{Model: "sim/m", Inputs: []string{text}, Dimensions: 4})
		if err != nil || len(one.Vectors[0]) != 4 || !slices.Equal(one.Vectors[0], all.Vectors[i]) {
			t.Errorf("%s: %v, %v", text, one, err)
		}
	}
	for _, bad := range [][]string{nil, {""}, {"\xff"}} {
		if _, err := client.Embed(ctx, &EmbedRequest{Model: "sim/m", Inputs: bad}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := client.Embed(cancelled, &EmbedRequest{Model: "sim/m", Inputs: texts}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
