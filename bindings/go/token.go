// SPDX-License-Identifier: MIT

package infer

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// A Token is a credential that expires: an access token, or for Bedrock
// "ACCESS_KEY_ID:SECRET_ACCESS_KEY:SESSION_TOKEN".
type Token struct {
	Text string
	// Expires is its end; the zero time: not known. It is then used until the
	// provider refuses it.
	Expires time.Time
}

// A TokenSource gets tokens for providers that have no fixed key, for
// [Config.SetTokenSource]. The library keeps what it gives until shortly before
// its end; a reload keeps it where the source is the same one.
type TokenSource struct {
	id    uintptr
	fetch func(refused bool) (Token, error)
}

var (
	lastSource   atomic.Uintptr
	tokenSources sync.Map // id -> *TokenSource, for ever: C may ask at any time
)

// NewTokenSource makes a source of a function, which runs on a goroutine of its
// own and may take its time. refused: the provider has refused the last token,
// so a cache must not give it again. An error that is [ErrAuth] means that
// somebody has to mend it: the function is called again after a minute at the
// soonest; any other is a passing one, asked again after 1 s, 2 s, 4 s, ... The
// error's text is part of that of calls: it must not hold a secret. A source
// lives as long as the process.
func NewTokenSource(fetch func(refused bool) (Token, error)) *TokenSource {
	source := &TokenSource{id: lastSource.Add(1), fetch: fetch}
	tokenSources.Store(source.id, source)
	return source
}

// SetTokenSource has the provider's tokens come from source, in place of an
// "api_key"; nil: not any more. See docs/credentials.md.
func (c *Config) SetTokenSource(provider string, source *TokenSource) error {
	name, err := cString(provider)
	if err != nil {
		return err
	}
	var id uintptr
	if source != nil {
		id = source.id
	}
	status := C.shim_config_set_token_source(c.c, chars(name), C.uintptr_t(id))
	runtime.KeepAlive(c)
	if status != C.INFER_OK {
		return Status(status)
	}
	return nil
}

//export inferGoTokenQuestion
func inferGoTokenQuestion(request *C.infer_token_request, id C.uintptr_t) {
	go answer(request, uintptr(id))
}

func answer(request *C.infer_token_request, id uintptr) {
	source, _ := tokenSources.Load(id)
	token, err := fetch(source.(*TokenSource), C.infer_token_request_refused(request) != 0)
	if err != nil {
		status := ErrServer
		if errors.Is(err, ErrAuth) {
			status = ErrAuth
		}
		text := C.CString(err.Error())
		defer C.free(unsafe.Pointer(text))
		C.infer_token_fail(request, C.int32_t(status), text)
		return
	}
	var expires int64
	if !token.Expires.IsZero() {
		expires = max(token.Expires.Unix(), 1)
	}
	text := []byte(token.Text)
	C.infer_token_deliver(request, chars(text), C.size_t(len(text)), C.int64_t(expires))
}

// fetch ends also where the function panics, for calls wait for it.
func fetch(source *TokenSource, refused bool) (token Token, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("the token source panicked: %v", cause)
		}
	}()
	return source.fetch(refused)
}
