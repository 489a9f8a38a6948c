// SPDX-License-Identifier: MIT

package infer

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"encoding/json"
	"runtime"
	"unsafe"
)

// A Config is a configuration: one JSON document, whose options are listed in
// docs/options.md. It is used by one goroutine at a time.
type Config struct {
	c *C.infer_config
	// Without a pointer of Go it would be so small that the collector puts it
	// together with others, and then may never run its finalizer.
	_ *byte
}

// NewConfig makes an empty configuration, to be filled by [Config.Set].
func NewConfig() *Config {
	config, err := newConfig(nil, nil)
	if err != nil {
		panic(err) // memory is short
	}
	return config
}

// ParseConfig reads a configuration document.
func ParseConfig(document []byte) (*Config, error) {
	if document == nil {
		document = []byte{}
	}
	return newConfig(nil, document)
}

// LoadConfig reads a configuration from a file.
func LoadConfig(path string) (*Config, error) {
	name, err := cString(path)
	if err != nil {
		return nil, err
	}
	return newConfig(chars(name), nil)
}

func newConfig(path *C.char, document []byte) (*Config, error) {
	var text *C.char
	if document != nil {
		text = chars(append(document[:len(document):len(document)], 0))
	}
	made := C.shim_config_new(path, text, C.size_t(len(document)))
	if made.status != C.INFER_OK {
		return nil, takeError(made.status, made.error)
	}
	config := &Config{c: made.config}
	runtime.SetFinalizer(config, func(config *Config) { C.shim_config_free(config.c) })
	return config, nil
}

// Set sets one option by its path: "threads", "providers.house.base_url"
// (providers by name, made when new), "routes.fast.timeouts.connect_ms". The
// value is marshalled by encoding/json; nil removes the option.
func (c *Config) Set(path string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return failure(ErrConfig, "%s: %v", path, err)
	}
	name, err := cString(path)
	if err != nil {
		return err
	}
	var e *C.infer_error
	status := C.infer_config_set_json(c.c, chars(name), chars(text), C.size_t(len(text)), &e)
	runtime.KeepAlive(c)
	if status != C.INFER_OK {
		return takeError(status, e)
	}
	return nil
}

// Check checks everything that can be checked without the network. [New] does
// it, too.
func (c *Config) Check() error {
	var e *C.infer_error
	status := C.infer_config_check(c.c, &e)
	runtime.KeepAlive(c)
	if status != C.INFER_OK {
		return takeError(status, e)
	}
	return nil
}

// String gives the document as JSON, with every written-out secret replaced by
// "***".
func (c *Config) String() string {
	var text *C.char
	var size C.size_t
	status := C.infer_config_json(c.c, &text, &size)
	runtime.KeepAlive(c)
	if status != C.INFER_OK {
		return ""
	}
	defer C.infer_text_free(text)
	return C.GoStringN(text, C.int(size))
}

// handle gives the configuration of C; NULL for nil.
func (c *Config) handle() *C.infer_config {
	if c == nil {
		return nil
	}
	return c.c
}

// chars gives b to a function of C that does not keep it.
func chars(b []byte) *C.char {
	return (*C.char)(unsafe.Pointer(unsafe.SliceData(b)))
}
