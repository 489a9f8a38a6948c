// SPDX-License-Identifier: MIT

package infer

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Request is a question. It may be used for any number of calls, also at the
// same time, as long as nobody changes it while a call is being started.
type Request struct {
	// Model is the name of a route, "provider/model", or a model that exactly
	// one provider claims.
	Model    string
	Messages []Message
	Tools    []Tool
	// MaxTokens, if above 0, is sent as max_tokens.
	MaxTokens int
	// Temperature, if not nil, is sent.
	Temperature *float64
	// JSONSchema asks for an answer that matches it.
	JSONSchema *JSONSchema
	// Params are other members of the request object by their OpenAI names.
	// Values are marshalled by encoding/json. They win over the fields above.
	Params map[string]any

	// JSON, if not nil, is a whole OpenAI Chat Completions request object,
	// and takes the place of all fields above.
	JSON json.RawMessage

	// The fields below do not go to the provider, except for Headers.

	// Headers are HTTP headers for every attempt.
	Headers map[string]string
	// Policy has numbers of the route's policy, for this call instead of what the
	// configuration says: {OptionPolicyRetries: 0}.
	Policy map[string]int64
	// Labels are what a provider must have to see the request, on top of what
	// the route requires.
	Labels []string
	// Tags and Tenant are for telemetry.
	Tags   map[string]string
	Tenant string
	// RunOnce forbids to send the request a second time, unless it is known
	// that the provider did not read the first.
	RunOnce bool
}

// A Message is one turn of a conversation.
type Message struct {
	// Role is "system", "developer", "user", "assistant" or "tool".
	Role string
	Text string
	// ImageURL adds an image, given by an https:, http: or data: URL.
	ImageURL string
	// ToolCalls are those of an assistant's message.
	ToolCalls []ToolCall
	// ToolCallID says whose result the message of a tool is.
	ToolCallID string
	// JSON, if not nil, is a message object as OpenAI has it, and takes the
	// place of all other fields.
	JSON json.RawMessage
}

// System makes a message that says how to answer.
func System(text string) Message { return Message{Role: "system", Text: text} }

// User makes a message of the user.
func User(text string) Message { return Message{Role: "user", Text: text} }

// Assistant makes a message of the model. [Response.Message] gives that of an
// answer.
func Assistant(text string) Message { return Message{Role: "assistant", Text: text} }

// ToolResult makes the message that answers a tool call.
func ToolResult(toolCallID, text string) Message {
	return Message{Role: "tool", ToolCallID: toolCallID, Text: text}
}

// A Tool is a function that the model may ask the program to run.
type Tool struct {
	Name, Description string
	// Parameters is a JSON schema: a json.RawMessage, or any value that
	// encoding/json makes one of; nil for no parameters.
	Parameters any
}

// A JSONSchema asks for an answer that is JSON of a certain shape.
type JSONSchema struct {
	Name   string
	Schema any // as Tool.Parameters
}

// An encoder writes JSON. Texts go out as they are, invalid UTF-8 included,
// which the library refuses: encoding/json would replace it without a word.
type encoder struct {
	buf []byte
	err error
}

func (e *encoder) raw(s string) { e.buf = append(e.buf, s...) }

func (e *encoder) text(s string) {
	const hex = "0123456789abcdef"
	e.buf = append(e.buf, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		e.raw(s[from:i])
		from = i + 1
		switch c {
		case '"', '\\':
			e.buf = append(e.buf, '\\', c)
		case '\n':
			e.raw(`\n`)
		default:
			e.buf = append(e.buf, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	e.raw(s[from:])
	e.buf = append(e.buf, '"')
}

func (e *encoder) value(name string, v any) {
	b, err := json.Marshal(v)
	if err != nil && e.err == nil {
		e.err = failure(ErrInvalidArgument, "%s: %v", name, err)
	}
	e.buf = append(e.buf, b...)
}

func (e *encoder) message(m *Message) {
	if m.JSON != nil {
		e.buf = append(e.buf, m.JSON...)
		return
	}
	e.raw(`{"role":`)
	e.text(m.Role)
	if m.ToolCallID != "" {
		e.raw(`,"tool_call_id":`)
		e.text(m.ToolCallID)
	}
	e.raw(`,"content":`)
	switch {
	case m.ImageURL != "":
		e.raw(`[`)
		if m.Text != "" {
			e.raw(`{"type":"text","text":`)
			e.text(m.Text)
			e.raw(`},`)
		}
		e.raw(`{"type":"image_url","image_url":{"url":`)
		e.text(m.ImageURL)
		e.raw(`}}]`)
	case m.Text == "" && len(m.ToolCalls) > 0:
		e.raw(`null`)
	default:
		e.text(m.Text)
	}
	for i, call := range m.ToolCalls {
		if i == 0 {
			e.raw(`,"tool_calls":[`)
		} else {
			e.raw(`,`)
		}
		e.raw(`{"id":`)
		e.text(call.ID)
		e.raw(`,"type":"function","function":{"name":`)
		e.text(call.Name)
		e.raw(`,"arguments":`)
		e.text(call.Arguments)
		e.raw(`}}`)
	}
	if len(m.ToolCalls) > 0 {
		e.raw(`]`)
	}
	e.raw(`}`)
}

func (e *encoder) tool(t *Tool) {
	e.raw(`{"type":"function","function":{"name":`)
	e.text(t.Name)
	if t.Description != "" {
		e.raw(`,"description":`)
		e.text(t.Description)
	}
	if t.Parameters != nil {
		e.raw(`,"parameters":`)
		e.value("parameters of tool "+t.Name, t.Parameters)
	}
	e.raw(`}}`)
}

// member begins a member that Params does not give.
func (e *encoder) member(r *Request, name string) bool {
	if _, ok := r.Params[name]; ok {
		return false
	}
	e.raw(`,"` + name + `":`)
	return true
}

// body gives the request object.
func (r *Request) body() ([]byte, error) {
	if r.JSON != nil {
		return r.JSON, nil
	}
	e := encoder{buf: make([]byte, 0, 512)}
	e.raw(`{"model":`)
	e.text(r.Model)
	e.raw(`,"messages":[`)
	for i := range r.Messages {
		if i > 0 {
			e.raw(`,`)
		}
		e.message(&r.Messages[i])
	}
	e.raw(`]`)
	if len(r.Tools) > 0 && e.member(r, "tools") {
		for i := range r.Tools {
			if i == 0 {
				e.raw(`[`)
			} else {
				e.raw(`,`)
			}
			e.tool(&r.Tools[i])
		}
		e.raw(`]`)
	}
	if r.MaxTokens > 0 && e.member(r, "max_tokens") {
		e.value("max_tokens", r.MaxTokens)
	}
	if r.Temperature != nil && e.member(r, "temperature") {
		e.value("temperature", *r.Temperature)
	}
	if r.JSONSchema != nil && e.member(r, "response_format") {
		e.raw(`{"type":"json_schema","json_schema":{"strict":true,"name":`)
		e.text(r.JSONSchema.Name)
		e.raw(`,"schema":`)
		e.value("JSON schema", r.JSONSchema.Schema)
		e.raw(`}}`)
	}
	for _, name := range sortedKeys(r.Params) {
		if name == "model" || name == "messages" {
			return nil, failure(ErrInvalidArgument, "%s is a field of the request, not one of Params", name)
		}
		e.raw(`,`)
		e.text(name)
		e.raw(`:`)
		e.value(name, r.Params[name])
	}
	e.raw(`}`)
	return e.buf, e.err
}

// texts gives the request in the shim's form of texts; nil if it is more than
// that.
func (r *Request) texts() []byte {
	if len(r.Messages) == 0 || len(r.Tools) > 0 || r.MaxTokens > 0 || r.Temperature != nil ||
		r.JSONSchema != nil || len(r.Params) > 0 || r.JSON != nil || strings.IndexByte(r.Model, 0) >= 0 {
		return nil
	}
	size := len(r.Model) + 1
	for i := range r.Messages {
		m := &r.Messages[i]
		if !m.isText() {
			return nil
		}
		size += len(m.Role) + 1 + 8 + len(m.Text)
	}
	buf := append(append(make([]byte, 0, size), r.Model...), 0)
	for i := range r.Messages {
		m := &r.Messages[i]
		buf = append(append(buf, m.Role...), 0)
		buf = binary.NativeEndian.AppendUint64(buf, uint64(len(m.Text)))
		buf = append(buf, m.Text...)
	}
	return buf
}

func (m *Message) isText() bool {
	return m.ImageURL == "" && len(m.ToolCalls) == 0 && m.ToolCallID == "" && m.JSON == nil &&
		strings.IndexByte(m.Role, 0) < 0
}

func sortedKeys[V any](m map[string]V) []string {
	if len(m) == 0 {
		return nil
	}
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// settings gives how the call is to be made, as shim_submit reads it.
func (r *Request) settings() ([]byte, error) {
	var buf []byte
	bad := false
	add := func(kind byte, name, value string) {
		bad = bad || strings.IndexByte(name, 0) >= 0 || strings.IndexByte(value, 0) >= 0
		buf = append(buf, kind)
		buf = append(append(buf, name...), 0)
		buf = append(append(buf, value...), 0)
	}
	for _, name := range sortedKeys(r.Headers) {
		add('h', name, r.Headers[name])
	}
	for _, label := range r.Labels {
		add('l', "", label)
	}
	for _, name := range sortedKeys(r.Tags) {
		add('t', name, r.Tags[name])
	}
	if r.Tenant != "" {
		add('n', "", r.Tenant)
	}
	for _, option := range sortedKeys(r.Policy) {
		add('p', option, strconv.FormatInt(r.Policy[option], 10))
	}
	if r.RunOnce {
		add('1', "", "")
	}
	if bad {
		return nil, failure(ErrInvalidArgument, "a header, label, tag, tenant or policy contains NUL")
	}
	return buf, nil
}

// refusedSetting says what was wrong with the setting that begins at at.
func refusedSetting(status Status, settings []byte, at int) *Error {
	kind := map[byte]string{'h': "header", 'l': "label", 't': "tag", 'n': "tenant", 'p': "policy"}[settings[at]]
	parts := strings.SplitN(string(settings[at+1:]), "\x00", 3)
	name := parts[0]
	if name == "" {
		name = parts[1]
	}
	return failure(status, "%s %q: %s", kind, name, status.Error())
}

const (
	minDeadline = time.Millisecond
	maxDeadline = 24 * time.Hour
)

// deadlineMs gives the time that the library has, or 0 for the route's.
func deadlineMs(ctx context.Context) int64 {
	until, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	left := min(max(time.Until(until), minDeadline), maxDeadline)
	return int64((left + time.Millisecond - 1) / time.Millisecond)
}
