# SPDX-License-Identifier: MIT
# Our books against what providers charge. Sourced by tests/bench/run.

# Our books against the invoices of three simulated providers that fail in
# every way, in nano-dollars: where tokens were told, the sum of what single
# requests differ by. Over HTTP/1.1, and over HTTP/2 where nghttpx is installed.
telemetry_invoice() {
  setup_build build-bench "scenario_test_cost infer" \
    -DCMAKE_BUILD_TYPE=Release || return 1
  COST_FIGURE=1 build-bench/tests/scenario/scenario_test_cost 2>&1 |
    awk '/^invoice_mismatch / { sum += $2; runs++; next }
         /invoice \(/ { print "# " $0 }
         END { if (runs > 0) print "invoice_mismatch", sum }' |
    resilience_report invoice_mismatch:0
}
