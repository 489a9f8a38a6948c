// SPDX-License-Identifier: MIT

package infer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const answerText = `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,` +
	`"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}`

// provider takes "token-N" with N of at least `least`.
func provider(t *testing.T, least *atomic.Int64) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var number int64
		fmt.Sscanf(r.Header.Get("Authorization"), "Bearer token-%d", &number)
		if number < least.Load() {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, answerText)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func clientWith(t *testing.T, url string, source *TokenSource) *Client {
	t.Helper()
	config := NewConfig()
	set(t, config, "providers.p", map[string]any{
		OptionProviderType: "azure-openai", OptionProviderBaseURL: url,
		OptionProviderProxy: "none", OptionProviderUpstream: "unary"})
	set(t, config, "defaults."+OptionPolicyRetries, 0)
	if err := config.SetTokenSource("p", source); err != nil {
		t.Fatal(err)
	}
	client, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func TestTokensComeFromAGoroutine(t *testing.T) {
	var least, asked, refusals atomic.Int64
	least.Store(1)
	client := clientWith(t, provider(t, &least), NewTokenSource(func(refused bool) (Token, error) {
		if refused {
			refusals.Add(1)
		}
		time.Sleep(50 * time.Millisecond) // as a fetch would take
		return Token{fmt.Sprintf("token-%d", asked.Add(1)), time.Now().Add(time.Hour)}, nil
	}))
	var calls sync.WaitGroup
	for range 16 {
		calls.Add(1)
		go func() {
			defer calls.Done()
			if _, err := client.Chat(context.Background(), ask("p/m")); err != nil {
				t.Error(err)
			}
		}()
	}
	calls.Wait()
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
	least.Store(2) // the first token is revoked
	resp, err := client.Chat(context.Background(), ask("p/m"))
	if err != nil {
		t.Fatal(err)
	}
	if len(resp.Attempts) != 2 || refusals.Load() != 1 || asked.Load() != 2 {
		t.Errorf("%d attempts, %d refusals, asked %d times", len(resp.Attempts), refusals.Load(), asked.Load())
	}
}

func TestATokenSourceThatHasNone(t *testing.T) {
	var least atomic.Int64
	url := provider(t, &least)
	for _, row := range []struct {
		fetch func(bool) (Token, error)
		want  Status
	}{
		{func(bool) (Token, error) { return Token{}, fmt.Errorf("no consent: %w", ErrAuth) }, ErrAuth},
		{func(bool) (Token, error) { return Token{}, errors.New("no route") }, ErrServer},
		{func(bool) (Token, error) { return Token{}, nil }, ErrAuth},
		{func(bool) (Token, error) { return Token{"t", time.Now().Add(-time.Hour)}, nil }, ErrAuth},
		{func(bool) (Token, error) { panic("oh") }, ErrServer},
	} {
		client := clientWith(t, url, NewTokenSource(row.fetch))
		if _, err := client.Chat(context.Background(), ask("p/m")); !errors.Is(err, row.want) {
			t.Errorf("%v, not %v", err, row.want)
		}
	}
}
