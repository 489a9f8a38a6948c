// SPDX-License-Identifier: MIT

package infer

// #include "shim.h"
import "C"

import (
	"context"
	"fmt"
	"time"
)

// A Status is the class of a failure; zero is success. Later versions of the
// library may add values: an unknown one is a failure.
type Status int32

// Error gives a short description, such as "rate limited".
func (s Status) Error() string {
	if known, ok := statuses[s]; ok {
		return known.text
	}
	return fmt.Sprintf("unknown failure (%d)", int32(s))
}

// Name gives the name of the status in C, such as INFER_E_RATE_LIMITED.
func (s Status) Name() string {
	if known, ok := statuses[s]; ok {
		return known.name
	}
	return "INFER_E_UNKNOWN"
}

// Is reports that ErrDeadline is context.DeadlineExceeded.
func (s Status) Is(target error) bool {
	return s == ErrDeadline && target == context.DeadlineExceeded
}

// An Error tells why a function or a call failed.
type Error struct {
	// Status is the class of the failure.
	Status Status
	// Message is one line that says what happened and, where it can, what to
	// do. It never contains a key, but may quote the provider.
	Message string
	// Provider and Target ("provider/model") are those of the last attempt, as
	// are HTTPStatus (0 without a response) and RequestID.
	Provider, Target string
	HTTPStatus       int
	RequestID        string
	// What the provider said: code, type, param and message of its error.
	ProviderCode, ProviderType, ProviderParam, ProviderMessage string
	// Retryable tells that the same call may succeed later.
	Retryable bool
	// RetryAfter is how long the provider asked to wait; negative if it did
	// not.
	RetryAfter time.Duration
	// TotalCostNanoUSD is what all attempts cost in nano-dollars, -1 if not
	// known. All of it is wasted.
	TotalCostNanoUSD int64
	CostKind         CostKind
	// Attempts are those of the call, in the order of their start.
	Attempts []Attempt
	// Partial is what had come of the answer; nil if nothing.
	Partial *Response

	cause error // of the context that ended the call
}

// Error gives the message.
func (e *Error) Error() string {
	if e.Message == "" {
		return e.Status.Error()
	}
	return e.Message
}

// Unwrap gives the status and, if the call's context ended it, the cause.
func (e *Error) Unwrap() []error {
	if e.cause != nil {
		return []error{e.Status, e.cause}
	}
	return []error{e.Status}
}

// Timeout reports whether time ran out: the deadline's or an attempt's.
func (e *Error) Timeout() bool {
	switch e.Status {
	case ErrDeadline, ErrTimeout, ErrFirstTokenTimeout, ErrAttemptTimeout, ErrIdleTimeout:
		return true
	}
	return false
}

func failure(status Status, format string, args ...any) *Error {
	return &Error{Status: status, Message: fmt.Sprintf(format, args...), RetryAfter: -1}
}

// contextFailure is the error of a call whose context had ended before it.
func contextFailure(ctx context.Context) *Error {
	status := ErrCancelled
	if ctx.Err() == context.DeadlineExceeded {
		status = ErrDeadline
	}
	err := failure(status, "not sent: %v", context.Cause(ctx))
	err.cause = context.Cause(ctx)
	return err
}

// takeError makes an Error of one of C and frees that.
func takeError(status C.int32_t, e *C.infer_error) *Error {
	if e == nil {
		return failure(Status(status), "%s", Status(status).Error())
	}
	result := C.shim_result_of_error(e)
	defer C.shim_result_free(result)
	return copyError(status, C.shim_result_error(result))
}

func copyError(status C.int32_t, e *C.shim_error) *Error {
	if e == nil {
		return failure(Status(status), "%s", Status(status).Error())
	}
	t := newTexts()
	err := &Error{
		Status:          Status(e.status),
		Message:         t.str(e.message),
		Provider:        t.str(e.provider),
		Target:          t.str(e.target),
		HTTPStatus:      int(e.http_status),
		RequestID:       t.str(e.request_id),
		ProviderCode:    t.str(e.provider_code),
		ProviderType:    t.str(e.provider_type),
		ProviderParam:   t.str(e.provider_param),
		ProviderMessage: str(e.provider_message),
		Retryable:       e.retryable != 0,
		RetryAfter:      -1,

		TotalCostNanoUSD: int64(e.total_cost_nano_usd),
		CostKind:         CostKind(e.cost_kind),

		Attempts: make([]Attempt, e.attempt_count),
	}
	copyAttempts(err.Attempts, e.attempts, &t)
	if e.retry_after_ms >= 0 {
		err.RetryAfter = time.Duration(e.retry_after_ms) * time.Millisecond
	}
	if e.partial != nil {
		err.Partial = copyWhole(e.partial)
	}
	return err
}
