// SPDX-License-Identifier: MIT

// Package sim runs `infer sim`, a provider that obeys a script, for tests. The
// program is the one in the environment variable INFER_TOOL, else `infer` of
// the PATH. docs/sim.md tells what a script can say.
package sim

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A Sim is a running simulator, which ends with its test.
type Sim struct {
	t      testing.TB
	origin string
}

// Start starts a simulator with a script, in which ' stands for ".
func Start(t testing.TB, script string) *Sim {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sim.json")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(script, "'", `"`)), 0o666); err != nil {
		t.Fatal(err)
	}
	tool := os.Getenv("INFER_TOOL")
	if tool == "" {
		tool = "infer"
	}
	cmd := exec.Command(tool, "sim", "--script", file, "--exit-on-stdin-eof")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("infer sim: %v (set INFER_TOOL to the infer command)", err)
	}
	t.Cleanup(func() {
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("infer sim: %v", err)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	origin, ok := strings.CutPrefix(strings.TrimSpace(line), "listening ")
	if err != nil || !ok {
		t.Fatalf("infer sim did not start: %q, %v", line, err)
	}
	return &Sim{t, origin}
}

// URL is the base_url for a provider.
func (s *Sim) URL() string { return s.origin + "/v1" }

// A Request is what the simulator saw of one.
type Request struct {
	Headers map[string]string
	Body    json.RawMessage
	End     string
}

// Log gives the requests that it has seen.
func (s *Sim) Log() []Request {
	s.t.Helper()
	var log []Request
	s.log(&log)
	return log
}

// Entries gives the same with everything that docs/sim.md says of a request.
func (s *Sim) Entries() []map[string]any {
	s.t.Helper()
	var log []map[string]any
	s.log(&log)
	return log
}

func (s *Sim) log(log any) {
	s.t.Helper()
	// A transport of its own leaves no idle connection behind.
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get(s.origin + "/_sim/log")
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(text, log)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}
