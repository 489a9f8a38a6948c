// SPDX-License-Identifier: MIT

// Package infer gets chat completions from LLM providers, whole or streamed,
// with failover, retries and one deadline over all of it. It is libinfer for
// Go.
//
//	client, err := infer.New(nil) // providers whose keys are in the environment
//	if err != nil {
//		log.Fatal(err)
//	}
//	defer client.Close()
//	req := &infer.Request{
//		Model:    "openai/gpt-4o-mini", // or the name of a route
//		Messages: []infer.Message{infer.User("Say hello.")},
//	}
//	resp, err := client.Chat(ctx, req)
//
// A [Client] is safe for use by any number of goroutines and is meant to be
// shared: it owns the connections and what was learned of providers and keys.
//
// # Contexts
//
// When the context of a call is cancelled, the call is: no attempt goes on
// behind its back. The context's deadline, if it has one, is the deadline of
// the call, from which queueing, retries and failover are paid; it takes the
// place of the route's timeouts.deadline_ms, also when it is later.
//
// # Errors
//
// Functions fail with an [*Error], for [errors.As]. Its class is a [Status]
// such as [ErrRateLimited], for [errors.Is]:
//
//	if errors.Is(err, infer.ErrRateLimited) {
//
// A call that its context ended is [context.Canceled] or
// [context.DeadlineExceeded], too. An answer that breaks off is never a
// success; what had come of it is [Error.Partial].
package infer

// #cgo pkg-config: libinfer
// #cgo CFLAGS: -O2
// #include "shim.h"
import "C"

//go:generate go run ./internal/generate/cmd

import (
	"fmt"
	"unsafe"
)

// Version is the version of the C library that runs.
func Version() string { return C.GoString(C.infer_version()) }

// liveHandles counts the handles of C that this package holds.
func liveHandles() int64 { return int64(C.shim_live()) }

// nameOf looks up the name of a constant. Later versions of the library may
// give values that this package does not know.
func nameOf[T ~int32](names map[T]string, v T) string {
	if name, ok := names[v]; ok {
		return name
	}
	return fmt.Sprintf("unknown(%d)", int32(v))
}

// str copies a text of C.
func str(t C.shim_text) string {
	if t.len == 0 {
		return ""
	}
	return C.GoStringN(t.at, C.int(t.len))
}

// view gives count elements of C's at p, without copying.
func view[T any](p *T, count C.size_t) []T {
	return unsafe.Slice(p, int(count))
}
