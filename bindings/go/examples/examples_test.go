// SPDX-License-Identifier: MIT

// Package examples builds the examples and runs them against a simulated
// provider.
package examples

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"libinfer/infer/internal/sim"
)

const script = `{ 'defaults': { 'text': 'Hello from the simulator.', 'first_token_ms': 5 },
  'rules': [
    { 'when': { 'model': 'echo' }, 'do': { 'echo': true } },
    { 'when': { 'model': 'down' }, 'do': { 'status': 503 } },
    { 'when': { 'model': 'story' }, 'do': { 'text': null, 'tokens': 30, 'inter_token_ms': 50 } },
    { 'when': { 'model': 'cut' },
      'do': { 'cut': { 'after_tokens': 2 }, 'inter_token_ms': 250 } } ] }`

// A program is an example; it runs with a configuration for the simulator.
type program func(args ...string) (stdout, stderr string, code int)

func build(t *testing.T, name string) (program, *sim.Sim) {
	t.Helper()
	s := sim.Start(t, script)
	dir := t.TempDir()
	out, err := exec.Command("go", "build", "-o", dir+"/", "./"+name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	config := filepath.Join(dir, "infer.json")
	text := fmt.Sprintf(`{ "providers": [ { "name": "sim", "type": "openai", "proxy": "none", "base_url": %q } ],
	  "defaults": { "retries": 0 },
	  "routes": { "again": { "targets": [ "sim/cut", "sim/good" ], "retries": 2, "recovery": "restart" } } }`, s.URL())
	if err := os.WriteFile(config, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return func(args ...string) (string, string, int) {
		cmd := exec.Command(filepath.Join(dir, name), args...)
		cmd.Env = append(os.Environ(), "INFER_CONFIG="+config, "no_proxy=127.0.0.1")
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
	}, s
}

func match(t *testing.T, text, pattern string) {
	t.Helper()
	if !regexp.MustCompile(`(?m)` + pattern).MatchString(text) {
		t.Errorf("no /%s/ in %q", pattern, text)
	}
}

func TestChat(t *testing.T) {
	chat, _ := build(t, "chat")
	out, errs, code := chat("sim/echo", "What is a hedge?")
	match(t, out, `^What is a hedge\?$`)
	match(t, out, `^\(sim/echo, [0-9]+ tokens\)$`)
	if code != 0 || errs != "" {
		t.Errorf("exit code %d, %s", code, errs)
	}
	_, errs, code = chat("sim/down")
	match(t, errs, `^sim/down: provider overloaded`)
	match(t, errs, `^\(it may succeed later\)$`)
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
}

func TestStream(t *testing.T) {
	stream, _ := build(t, "stream")
	out, _, code := stream("sim/good")
	if want := "Hello from the simulator.\n(finish reason: stop)\n"; out != want || code != 0 {
		t.Errorf("exit code %d, %q", code, out)
	}
	out, errs, code := stream("sim/cut")
	match(t, out, `^Hello`)
	match(t, errs, `^sim/cut: answer truncated`)
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	out, _, _ = stream("again")
	match(t, out, `^\[starting over: `)
	match(t, out, `^Hello from the simulator\.$`)
}

func TestConcurrent(t *testing.T) {
	concurrent, _ := build(t, "concurrent")
	out, errs, code := concurrent("sim/story", "200")
	if code != 0 {
		t.Errorf("exit code %d, %s", code, errs)
	}
	match(t, out, `^[0-9]+ open, [0-9]+ answered, [0-9]+ pieces$`)
	match(t, out, `^200 answered, 0 failed, at most 200 at a time$`)
}

func TestFailover(t *testing.T) {
	failover, s := build(t, "failover")
	out, errs, code := failover(s.URL(), "down", s.URL(), "good")
	match(t, out, `^1\. first/down \(first\): provider overloaded$`)
	match(t, out, `^[23]\. second/good \(failover\): answered$`)
	if !strings.HasSuffix(out, "\nHello from the simulator.\n") || code != 0 {
		t.Errorf("exit code %d, %q, %s", code, out, errs)
	}
	t.Setenv("OPENAI_API_KEY", "")
	_, errs, code = failover()
	match(t, errs, `OPENAI_API_KEY`)
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
}
