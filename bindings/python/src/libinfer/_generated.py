# SPDX-License-Identifier: MIT
# Written by generate.py from the tables of the library. Do not edit.
"""Status codes, event types and options, as the library has them."""

from enum import IntEnum
from typing import Mapping, Tuple


class Status(IntEnum):
    """How a function or a call ended."""

    OK = 0
    INVALID_ARGUMENT = -1
    NO_MEMORY = -2
    CONFIG = -3
    CLOSED = -4
    TIMEOUT = -5
    REENTRANT = -6
    FORKED = -7
    UNSUPPORTED = -8
    IO = -9
    INTERNAL = -10
    RESOLVE = -20
    CONNECT = -21
    TLS = -22
    RESET = -23
    TLS_VERIFY = -24
    FIRST_TOKEN_TIMEOUT = -25
    ATTEMPT_TIMEOUT = -26
    IDLE_TIMEOUT = -27
    TRUNCATED = -28
    OVERLOADED = -29
    SERVER = -30
    RATE_LIMITED = -31
    QUOTA = -32
    AUTH = -33
    NOT_FOUND = -34
    CONTEXT_LENGTH = -35
    REQUEST_TOO_LARGE = -36
    CONTENT_FILTER = -37
    BAD_REQUEST = -38
    PROTOCOL = -39
    TOO_LARGE = -40
    TOO_DEEP = -41
    CANCELLED = -42
    DEADLINE = -43
    BUDGET = -44
    NO_TARGET = -45
    LIMIT = -46


STATUS_TEXTS: Mapping[int, str] = {
    0: "success",
    -1: "invalid argument",
    -2: "out of memory",
    -3: "configuration error",
    -4: "closed",
    -5: "the wait timed out",
    -6: "not allowed from a hook",
    -7: "the handle belongs to the parent process",
    -8: "not supported",
    -9: "file error",
    -10: "internal error",
    -20: "host name not found",
    -21: "connection failed",
    -22: "TLS handshake failed",
    -23: "connection broke",
    -24: "certificate not trusted",
    -25: "first-token timeout",
    -26: "attempt timeout",
    -27: "idle timeout",
    -28: "answer truncated",
    -29: "provider overloaded",
    -30: "provider error",
    -31: "rate limited",
    -32: "quota exhausted",
    -33: "key refused",
    -34: "model or URL not found",
    -35: "prompt too long for the model",
    -36: "request larger than the quota",
    -37: "content refused",
    -38: "request rejected",
    -39: "malformed answer",
    -40: "answer too large",
    -41: "answer nested too deeply",
    -42: "cancelled",
    -43: "deadline exceeded",
    -44: "budget exhausted",
    -45: "no target may serve the call",
    -46: "limit reached",
}


class EventType(IntEnum):
    """What an event brings."""

    START = 1
    TEXT = 2
    REASONING = 3
    REFUSAL = 4
    TOOL_CALL_DELTA = 5
    TOOL_CALL_DONE = 6
    LOGPROBS = 7
    EXTRA = 8
    FINISH = 9
    USAGE = 10
    RESTART = 11
    DONE = 12
    ATTEMPT = 13


class Reason(IntEnum):
    """Why an attempt was started."""

    FIRST = 1
    RETRY = 2
    FAILOVER = 3
    KEY = 4
    RESEND = 5
    RECOVERY = 6
    CONTINUE = 7
    HEDGE = 8
    PROBE = 9
    PREWARM = 10


class Phase(IntEnum):
    """A point in the life of an attempt."""

    LIMITER_WAIT = 0
    LOOKUP = 1
    CONNECT = 2
    TLS = 3
    SENT = 4
    HEADERS = 5
    FIRST_BYTE = 6
    FIRST_CONTENT = 7
    FIRST_ANSWER = 8
    LAST_CONTENT = 9
    END = 10


class UsageKind(IntEnum):
    """What tokens are counted for."""

    INPUT = 0
    OUTPUT = 1
    REASONING = 2
    CACHE_READ = 3
    CACHE_WRITE = 4
    TOTAL = 5
    AUDIO_INPUT = 6
    AUDIO_OUTPUT = 7


class Warmth(IntEnum):
    """How far a provider was reached."""

    NOTHING = 0
    LOOKUP = 1
    CONNECTED = 2
    TLS = 3
    READY = 4


OPTIONS: Mapping[str, Tuple[str, ...]] = {
    "Client": (
        "threads",
        "delivery_interval_ms",
        "max_response_bytes",
        "max_event_bytes",
        "max_json_depth",
        "max_undelivered_bytes",
        "max_paused_bytes",
        "max_calls",
        "max_waiting_calls",
        "max_idle_connections",
        "metrics_tenants",
        "telemetry.otlp.endpoint",
        "telemetry.otlp.headers",
        "telemetry.otlp.interval_ms",
        "telemetry.otlp.max_queue_bytes",
        "telemetry.otlp.semconv",
        "telemetry.otlp.service_name",
        "telemetry.otlp.from_environment",
        "tenants",
        "budgets",
        "budgets_file",
    ),
    "Budgets": (
        "name",
        "per",
        "period",
        "usd",
        "tokens",
        "warn",
        "at_limit",
        "without_price",
        "utc_offset_minutes",
    ),
    "Providers": (
        "name",
        "type",
        "base_url",
        "api_key",
        "google_credentials",
        "organization",
        "project",
        "auth_scheme",
        "region",
        "labels",
        "headers",
        "query",
        "body",
        "models",
        "prices",
        "upstream",
        "prefill",
        "catalogue",
        "proxy",
        "ca_file",
        "ca_pem",
        "client_cert",
        "client_key",
        "traceparent",
        "tls_verify",
        "unix_socket",
        "resolve",
        "compression",
        "http_version",
        "warm_path",
        "embed_inputs",
        "embed_body",
        "limits.requests_per_second",
        "limits.requests_per_minute",
        "limits.requests_per_day",
        "limits.tokens_per_second",
        "limits.tokens_per_minute",
        "limits.tokens_per_day",
        "limits.input_tokens_per_minute",
        "limits.output_tokens_per_minute",
        "limits.concurrency",
        "limits.scope",
    ),
    "Keys": (
        "key",
        "organization",
        "project",
    ),
    "Routes": (
        "targets",
        "require_labels",
        "sticky",
    ),
    "Targets": (
        "target",
        "upstream",
        "prefill",
        "weight",
        "price.input",
        "price.output",
        "price.cache_read",
        "price.cache_write",
        "price.reasoning",
        "price.audio_input",
        "price.audio_output",
        "context_tokens",
        "output_tokens",
        "lacks",
        "overrides",
    ),
    "Policy": (
        "strategy",
        "cost.max_first_token_ms",
        "max_price.input",
        "max_price.output",
        "retries",
        "stay.retries",
        "stay.max_wait_ms",
        "recovery",
        "keep_warm",
        "hedge.budget",
        "hedge.percentile",
        "hedge.min_delay_ms",
        "race_on",
        "breaker",
        "retry_budget",
        "upstream",
        "failover_on",
        "timeouts.connect_ms",
        "timeouts.first_token_ms",
        "timeouts.idle_ms",
        "timeouts.attempt_ms",
        "timeouts.deadline_ms",
    ),
}
