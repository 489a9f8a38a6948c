#!/bin/bash
# SPDX-License-Identifier: MIT
# What goes to a collector is taken by OpenTelemetry's own (no package of
# Debian has one, so its receiver is built from its modules).
cd "$(dirname "$0")/../.." || exit 1
. tests/support/setup.sh
. tests/support/bindings.sh
dir=build-collector
export CMAKE_GENERATOR=Ninja

skip() { # REASON
  echo "SKIP: $1"
  exit 77
}

mkdir -p $dir/collector
go_find 1.25 "$dir/go" "$dir/go.log" || skip "$bindings_reason"
cp tests/otlp/collector/go.mod tests/otlp/collector/main.go $dir/collector
(cd $dir/collector && GOTOOLCHAIN=local timeout 1200 sh -c \
  'go mod tidy && go build -o collector .') >$dir/go.log 2>&1 </dev/null ||
  skip "the collector cannot be built: $(tail -n 1 $dir/go.log)"

setup_build $dir "scenario_test_otlp infer" \
  -DCMAKE_BUILD_TYPE=RelWithDebInfo || exit 1

# It ends when its standard input does, which this shell holds open.
rm -f $dir/hold
mkfifo $dir/hold || exit 1
$dir/collector/collector <$dir/hold >$dir/got.log 2>&1 &
exec 3>$dir/hold
url=
for _ in {1..200}; do
  url=$(sed -n 's/^listening //p' $dir/got.log)
  [ -z "$url" ] || break
  sleep 0.1
done
[ -n "$url" ] || {
  echo "the collector does not listen: $(tail -n 1 $dir/got.log)"
  exit 1
}
INFER_TEST_COLLECTOR=$url $dir/tests/scenario/scenario_test_otlp || exit 1
exec 3>&-
wait
spans=$(awk '$1 == "spans" { sum += $2 } END { print sum + 0 }' $dir/got.log)
points=$(awk '$1 == "points" { sum += $2 } END { print sum + 0 }' $dir/got.log)
echo "the collector understood $spans spans and $points points"
# Two times 100 calls; each has a span, and one for each attempt.
[ "$spans" -ge 400 ] && [ "$points" -gt 0 ]
