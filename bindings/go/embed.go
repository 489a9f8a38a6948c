// SPDX-License-Identifier: MIT

package infer

// #include "shim.h"
import "C"

import (
	"context"
	"unsafe"
)

// An EmbedRequest asks for the vectors of texts.
type EmbedRequest struct {
	// Model is the name of a route, "provider/model", or a model that exactly
	// one provider claims. The call stays with one model, whatever fails over.
	Model string
	// Inputs are the texts, any number of them: they are sent in as many
	// requests as the provider needs.
	Inputs []string
	// Dimensions, if above 0, are asked for.
	Dimensions int
	// InputType, if not "", says what the texts are for: "search_query",
	// "search_document", "classification", "clustering".
	InputType string
	// Params are other members of the request object.
	Params map[string]any

	// As those of a Request.
	Headers map[string]string
	Policy  map[string]int64
	Labels  []string
	Tags    map[string]string
	Tenant  string
	RunOnce bool
}

// Embeddings are the vectors of a call, in the order of its inputs.
type Embeddings struct {
	Vectors [][]float32
	// Model is the one that the provider says answered, "" if it does not say.
	Model string
	// Usage of all requests together; -1 for what is not known.
	InputTokens int64
}

func (r *EmbedRequest) body() ([]byte, error) {
	var e encoder
	e.raw(`{"model":`)
	e.text(r.Model)
	e.raw(`,"input":[`)
	for i, text := range r.Inputs {
		if i > 0 {
			e.raw(",")
		}
		e.text(text)
	}
	e.raw("]")
	params := map[string]any{}
	for name, value := range r.Params {
		params[name] = value
	}
	if r.Dimensions > 0 {
		params["dimensions"] = r.Dimensions
	}
	if r.InputType != "" {
		params["input_type"] = r.InputType
	}
	for name, value := range params {
		e.raw(",")
		e.text(name)
		e.raw(":")
		e.value("Params["+name+"]", value)
	}
	e.raw("}")
	return e.buf, e.err
}

// Embed asks for the vectors of the request's inputs. They come all or not at
// all. A cancelled context cancels that, and its deadline takes the place of
// the route's.
func (c *Client) Embed(ctx context.Context, req *EmbedRequest) (*Embeddings, error) {
	body, err := req.body()
	if err != nil {
		return nil, err
	}
	how := Request{Headers: req.Headers, Policy: req.Policy, Labels: req.Labels,
		Tags: req.Tags, Tenant: req.Tenant, RunOnce: req.RunOnce}
	settings, err := how.settings()
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, contextFailure(ctx)
	}
	if err := c.enter(); err != nil { // Close cancels the call, then waits
		return nil, err
	}
	defer c.leave()
	k := &call{keeps: true, wake: make(chan struct{}, 1)}
	err = c.expect(k, func(tag uint64) error {
		return k.begin(C.shim_submit_embed(c.c, chars(body), C.size_t(len(body)),
			chars(settings), C.size_t(len(settings)), C.int64_t(deadlineMs(ctx)),
			C.uint64_t(tag)), settings)
	})
	if err != nil {
		return nil, err
	}
	defer k.release(true)
	stop := k.watch(ctx)
	<-k.wake // the terminal event
	stop()
	if k.err != nil {
		return nil, k.failure(ctx)
	}
	return embeddingsOf(k.handle)
}

func embeddingsOf(ended *C.infer_call) (*Embeddings, error) {
	var found *C.infer_embeddings
	var e *C.infer_error
	status := C.infer_call_embeddings(ended, &found, &e)
	if status != C.INFER_OK {
		return nil, takeError(status, e)
	}
	defer C.infer_embeddings_free(found)
	count := int(C.infer_embeddings_count(found))
	dimensions := int(C.infer_embeddings_dimensions(found))
	response := C.infer_embeddings_response(found)
	made := &Embeddings{
		Vectors:     make([][]float32, count),
		Model:       C.GoString(C.infer_response_model(response)),
		InputTokens: int64(C.infer_response_usage(response, C.INFER_USAGE_INPUT)),
	}
	numbers := make([]float32, count*dimensions)
	if count > 0 {
		first := (*float32)(unsafe.Pointer(C.infer_embeddings_vector(found, 0)))
		copy(numbers, unsafe.Slice(first, len(numbers)))
	}
	for i := range made.Vectors {
		made.Vectors[i] = numbers[i*dimensions : (i+1)*dimensions : (i+1)*dimensions]
	}
	return made, nil
}
