// SPDX-License-Identifier: MIT

// A collector of OpenTelemetry's own parts: its receiver for OTLP/HTTP, which
// hands on what it has understood. Prints where it listens, then a line for
// each request; ends with its standard input.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"

	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// The receiver does not tell which port it got.
func freeAddress() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	defer listener.Close()
	return listener.Addr().String()
}

func onTraces(_ context.Context, traces ptrace.Traces) error {
	spans := traces.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	fmt.Println("spans", traces.SpanCount(), spans.At(0).Name())
	return nil
}

func onMetrics(_ context.Context, metrics pmetric.Metrics) error {
	fmt.Println("points", metrics.DataPointCount())
	return nil
}

func main() {
	ctx := context.Background()
	address := freeAddress()
	factory := otlpreceiver.NewFactory()
	config := factory.CreateDefaultConfig()
	must(confmap.NewFromStringMap(map[string]any{
		"protocols": map[string]any{
			"http": map[string]any{"endpoint": address},
		},
	}).Unmarshal(config))
	traces, err := consumer.NewTraces(onTraces)
	must(err)
	metrics, err := consumer.NewMetrics(onMetrics)
	must(err)
	settings := receivertest.NewNopSettings(factory.Type())
	ofTraces, err := factory.CreateTraces(ctx, settings, config, traces)
	must(err)
	ofMetrics, err := factory.CreateMetrics(ctx, settings, config, metrics)
	must(err)
	host := componenttest.NewNopHost()
	must(ofTraces.Start(ctx, host))
	must(ofMetrics.Start(ctx, host))
	fmt.Println("listening http://" + address)
	_, _ = io.Copy(io.Discard, os.Stdin)
}
