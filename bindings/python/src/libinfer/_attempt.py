# SPDX-License-Identifier: MIT
"""The record of one HTTP request that was sent for a call."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Callable, Mapping, Optional, Tuple

from libinfer._ffi import lib, text
from libinfer._generated import STATUS_TEXTS, Phase, Reason, Status, UsageKind


@dataclass(frozen=True)
class Usage:
    """Token counts; None for what is not known."""

    input: Optional[int]
    output: Optional[int]
    reasoning: Optional[int]
    """Of the output."""
    cache_read: Optional[int]
    """Of the input."""
    cache_write: Optional[int]
    """Of the input."""
    total: Optional[int]
    audio_input: Optional[int] = None
    """Of the input."""
    audio_output: Optional[int] = None
    """Of the output."""


class CostKind(IntEnum):
    """How well a cost is known."""

    UNKNOWN = 0
    EXACT = 1
    ESTIMATED = 2


@dataclass(frozen=True)
class Attempt:
    """Who was asked, why, what came of it, and when."""

    provider: str
    target: str
    """``provider/model``"""
    reason: int
    """Why it was started: a :class:`Reason`."""
    key_index: int
    """Which of the provider's keys was used, from 0."""
    status: int
    """``Status.OK`` or the class of its failure."""
    message: str
    """One line about the failure."""
    decision: str
    """What was decided after the failure, and why."""
    http_status: int
    request_id: str
    won: bool
    """Whether the answer came from it."""
    reused_connection: bool
    start_ns: int
    """Since the call was accepted."""
    phases_ns: Mapping[Phase, int]
    """Since the attempt's start; what was not reached is absent."""
    usage: Usage
    tokens_per_second: Optional[float]
    """Of the output after the first content; None where it is not known."""
    cost_nano_usd: Optional[int]
    """Nano-dollars; None where that is not known."""
    cost_kind: CostKind
    bytes_sent: int
    bytes_received: int
    skipped_events: int


def usage_of(accessor: Callable[[Any, int], int], handle: Any) -> Usage:
    counts = (accessor(handle, kind) for kind in UsageKind)
    return Usage(*(None if count < 0 else count for count in counts))


def nano_usd_of(accessor: Callable[[Any], int], handle: Any) -> Optional[int]:
    nano_usd = accessor(handle)
    return None if nano_usd < 0 else nano_usd


_REASONS = frozenset(Reason)


def attempt_of(handle: Any) -> Attempt:
    pace = lib.infer_attempt_tokens_per_second(handle)
    status = lib.infer_attempt_status(handle)
    reason = lib.infer_attempt_reason(handle)
    phases = {phase: lib.infer_attempt_phase_ns(handle, phase) for phase in Phase}
    return Attempt(
        provider=text(lib.infer_attempt_provider(handle)),
        target=text(lib.infer_attempt_target(handle)),
        reason=Reason(reason) if reason in _REASONS else reason,
        key_index=lib.infer_attempt_key_index(handle),
        status=Status(status) if status in STATUS_TEXTS else status,
        message=text(lib.infer_attempt_message(handle)),
        decision=text(lib.infer_attempt_decision(handle)),
        http_status=lib.infer_attempt_http_status(handle),
        request_id=text(lib.infer_attempt_request_id(handle)),
        won=lib.infer_attempt_won(handle) == 1,
        reused_connection=lib.infer_attempt_reused_connection(handle) == 1,
        start_ns=lib.infer_attempt_start_ns(handle),
        phases_ns={phase: ns for phase, ns in phases.items() if ns >= 0},
        usage=usage_of(lib.infer_attempt_usage, handle),
        tokens_per_second=pace if pace >= 0 else None,
        cost_nano_usd=nano_usd_of(lib.infer_attempt_cost_nano_usd, handle),
        cost_kind=CostKind(lib.infer_attempt_cost_kind(handle)),
        bytes_sent=lib.infer_attempt_bytes_sent(handle),
        bytes_received=lib.infer_attempt_bytes_received(handle),
        skipped_events=lib.infer_attempt_skipped_events(handle),
    )


def attempts_of(
    handle: Any, count: Callable[[Any], int], at: Callable[[Any, int], Any]
) -> Tuple[Attempt, ...]:
    return tuple(attempt_of(at(handle, i)) for i in range(count(handle)))
