# SPDX-License-Identifier: MIT
"""The golden files are OTLP: member by member as the protocol's own messages
have it.

    python3 tests/otlp/check.py [FILE...]

Each file is read into the messages of the package opentelemetry-proto, which
refuse what they do not know; ids are hexadecimal and enumerations numbers, as
OTLP's JSON differs from that of protobuf. Without the package: 77, not tried.
"""
import base64
import json
import pathlib
import sys

try:
    from google.protobuf import json_format
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
except ImportError as error:
    print(f"not tried: {error} (pip install opentelemetry-proto)")
    sys.exit(77)

ID_BYTES = {"traceId": 16, "spanId": 8, "parentSpanId": 8}
INT64 = {"startTimeUnixNano", "endTimeUnixNano", "timeUnixNano", "intValue",
         "asInt", "count"}
ENUMS = {"kind", "code", "aggregationTemporality"}


def to_protobuf_json(value):
    """OTLP's JSON as protobuf's, its own rules checked on the way."""
    if isinstance(value, list):
        return [to_protobuf_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for key, item in value.items():
        if key in ID_BYTES:
            raw = bytes.fromhex(item)
            assert len(raw) == ID_BYTES[key] and any(raw), (key, item)
            item = base64.b64encode(raw).decode()
        elif key in INT64:
            assert isinstance(item, str), (key, item)
        elif key in ENUMS:
            assert isinstance(item, int), (key, item)
        out[key] = to_protobuf_json(item)
    return out


def check_spans(message):
    count = 0
    for resource in message.resource_spans:
        for scope in resource.scope_spans:
            assert scope.scope.name == "libinfer"
            ids = {span.span_id for span in scope.spans}
            assert len(ids) == len(scope.spans), "an id is there twice"
            for span in scope.spans:
                assert span.kind == span.SPAN_KIND_CLIENT
                assert span.start_time_unix_nano <= span.end_time_unix_nano
                keys = [one.key for one in span.attributes]
                assert len(keys) == len(set(keys)), keys
                count += 1
    return count


def check_points(message):
    count = 0
    for resource in message.resource_metrics:
        for scope in resource.scope_metrics:
            names = [metric.name for metric in scope.metrics]
            assert len(names) == len(set(names)), names
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                data = getattr(metric, kind)
                assert data.data_points
                if kind != "gauge":
                    assert data.aggregation_temporality == 2
                for point in data.data_points:
                    count += 1
                    assert point.start_time_unix_nano < point.time_unix_nano
                    if kind == "histogram":
                        assert sum(point.bucket_counts) == point.count
                        assert (len(point.bucket_counts) ==
                                len(point.explicit_bounds) + 1)
                        assert (list(point.explicit_bounds) ==
                                sorted(point.explicit_bounds))
                    elif kind == "sum":
                        assert data.is_monotonic
    return count


def check(path):
    document = json.loads(path.read_text())
    if "resourceSpans" in document:
        message = trace_service_pb2.ExportTraceServiceRequest()
        count = check_spans
    else:
        message = metrics_service_pb2.ExportMetricsServiceRequest()
        count = check_points
    json_format.ParseDict(to_protobuf_json(document), message)
    # Nothing was lost: what is written again is the same.
    again = json_format.MessageToDict(message, use_integers_for_enums=True)
    assert normal(again) == normal(to_protobuf_json(document)), path
    found = count(message)
    assert found > 0, path
    print(f"{path.name}: {found} records")


def normal(value):
    """Without members that have protobuf's defaults, which it leaves out."""
    if isinstance(value, list):
        return [normal(item) for item in value]
    if isinstance(value, dict):
        return {key: normal(item) for key, item in value.items()
                if item not in ([], "")}
    if isinstance(value, float):
        return float(value)
    return value


paths = [pathlib.Path(name) for name in sys.argv[1:]]
for one in paths or sorted(pathlib.Path(__file__).parent.glob("*.json")):
    check(one)
