# SPDX-License-Identifier: MIT
"""One exception class for each class of failure.

The tree follows what a caller does about a failure: look at his own call
(misuse), try later or elsewhere (network, provider), or mistrust the answer.
Every class stands in the library's failure table; a status that this version
does not know is a CallError.
"""

from typing import Any, Dict, Optional, Tuple, Type

from libinfer._attempt import Attempt, CostKind, attempts_of, nano_usd_of
from libinfer._ffi import ffi, lib, text
from libinfer._generated import STATUS_TEXTS, Status
from libinfer._response import Response


class Error(Exception):
    """The base of all that libinfer raises.

    ``str(error)`` is one line that says what happened and, where it can, what
    to do.
    """

    status: int = Status.INTERNAL
    """The class of the failure, a :class:`Status` where it is known."""
    message: str = ""
    provider: str = ""
    """Name of the provider that the last attempt went to."""
    target: str = ""
    """``provider/model`` of the last attempt."""
    http_status: int = 0
    """HTTP status of the last attempt, 0 without a response."""
    request_id: str = ""
    """The provider's id of the failed request, for its support."""
    provider_code: str = ""
    provider_type: str = ""
    provider_param: str = ""
    provider_message: str = ""
    retryable: bool = False
    """Whether the same call may succeed later."""
    retry_after: Optional[float] = None
    """Seconds that the provider asked to wait."""
    total_cost_nano_usd: Optional[int] = None
    """Nano-dollars of all attempts, all wasted; None if not known."""
    cost_kind: CostKind = CostKind.UNKNOWN
    attempts: Tuple[Attempt, ...] = ()
    """All attempts of the call, in the order of their start."""
    partial: Optional[Response] = None
    """What had arrived of the answer. Not kept by pickle."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> Tuple[Any, ...]:
        state = {k: v for k, v in self.__dict__.items() if k != "partial"}
        return type(self), (self.message,), state


class InvalidArgumentError(Error, ValueError):
    """A parameter or the request is wrong."""


class NoMemoryError(Error, MemoryError):
    """Memory is short."""


class ConfigError(Error, ValueError):
    """The configuration is wrong, or does not know the model."""


class ClosedError(Error):
    """The client was closed."""


class WaitTimeoutError(Error, TimeoutError):
    """A wait, not a call, timed out."""


class ReentrantError(Error):
    """Not allowed from a hook."""


class ForkedError(Error):
    """The call belongs to the parent process."""


class UnsupportedError(Error):
    """Not in this build, or not of this provider."""


class FileError(Error):
    """A local file could not be read."""


class InternalError(Error):
    """A bug in the library."""


class CallError(Error):
    """A call failed."""


class NetworkError(CallError):
    """No usable answer from the network."""


class ResolveError(NetworkError):
    """Host name not found."""


class ConnectError(NetworkError):
    """Refused or unreachable."""


class TLSError(NetworkError):
    """The TLS handshake failed."""


class ResetError(NetworkError):
    """The connection broke before an answer."""


class TLSVerifyError(NetworkError):
    """The certificate is not trusted."""


class CallTimeoutError(CallError, TimeoutError):
    """Something took longer than it may."""


class FirstTokenTimeoutError(CallTimeoutError):
    """No content within first_token_ms."""


class AttemptTimeoutError(CallTimeoutError):
    """The answer was not done within attempt_ms."""


class IdleTimeoutError(CallTimeoutError):
    """Silence within an answer."""


class DeadlineError(CallTimeoutError):
    """The call's deadline passed."""


class AnswerError(CallError):
    """An answer came, but not a whole or a valid one."""


class TruncatedError(AnswerError):
    """The answer ended without its end."""


class ProtocolError(AnswerError):
    """The answer is malformed."""


class TooLargeError(AnswerError):
    """An answer or event is over its limit."""


class TooDeepError(AnswerError):
    """JSON is nested too deeply."""


class ProviderError(CallError):
    """The provider said no."""


class OverloadedError(ProviderError):
    """The provider has no capacity."""


class ServerError(ProviderError):
    """The provider failed."""


class RateLimitedError(ProviderError):
    """Our quota; it refills."""


class QuotaError(ProviderError):
    """The key is spent."""


class AuthError(ProviderError):
    """The key is refused."""


class NotFoundError(ProviderError):
    """The model or URL does not exist."""


class ContextLengthError(ProviderError):
    """The prompt is too long for the model."""


class RequestTooLargeError(ProviderError):
    """The request can never pass this quota."""


class ContentFilterError(ProviderError):
    """The provider refused the content."""


class BadRequestError(ProviderError):
    """The provider rejects the request."""


class CallCancelledError(CallError):
    """The call was cancelled, or its client closed."""


class BudgetError(CallError):
    """A spend limit is reached."""


class NoTargetError(CallError):
    """No target may serve the call."""


class LimitError(CallError):
    """A limit of this client."""


CLASSES: Dict[int, Type[Error]] = {
    Status.INVALID_ARGUMENT: InvalidArgumentError,
    Status.NO_MEMORY: NoMemoryError,
    Status.CONFIG: ConfigError,
    Status.CLOSED: ClosedError,
    Status.TIMEOUT: WaitTimeoutError,
    Status.REENTRANT: ReentrantError,
    Status.FORKED: ForkedError,
    Status.UNSUPPORTED: UnsupportedError,
    Status.IO: FileError,
    Status.INTERNAL: InternalError,
    Status.RESOLVE: ResolveError,
    Status.CONNECT: ConnectError,
    Status.TLS: TLSError,
    Status.RESET: ResetError,
    Status.TLS_VERIFY: TLSVerifyError,
    Status.FIRST_TOKEN_TIMEOUT: FirstTokenTimeoutError,
    Status.ATTEMPT_TIMEOUT: AttemptTimeoutError,
    Status.IDLE_TIMEOUT: IdleTimeoutError,
    Status.TRUNCATED: TruncatedError,
    Status.OVERLOADED: OverloadedError,
    Status.SERVER: ServerError,
    Status.RATE_LIMITED: RateLimitedError,
    Status.QUOTA: QuotaError,
    Status.AUTH: AuthError,
    Status.NOT_FOUND: NotFoundError,
    Status.CONTEXT_LENGTH: ContextLengthError,
    Status.REQUEST_TOO_LARGE: RequestTooLargeError,
    Status.CONTENT_FILTER: ContentFilterError,
    Status.BAD_REQUEST: BadRequestError,
    Status.PROTOCOL: ProtocolError,
    Status.TOO_LARGE: TooLargeError,
    Status.TOO_DEEP: TooDeepError,
    Status.CANCELLED: CallCancelledError,
    Status.DEADLINE: DeadlineError,
    Status.BUDGET: BudgetError,
    Status.NO_TARGET: NoTargetError,
    Status.LIMIT: LimitError,
}

for _status, _class in CLASSES.items():
    _class.status = _status  # also of one that the library did not make


def error_from(status: int, handle: Any = ffi.NULL) -> Error:
    """The exception for a status; takes the error's handle, which may be NULL."""
    if handle:
        handle = ffi.gc(handle, lib.infer_error_free)
    message = text(lib.infer_error_message(handle)) or STATUS_TEXTS.get(
        status, f"status {status}"
    )
    error = CLASSES.get(status, CallError)(message)
    error.status = Status(status) if status in STATUS_TEXTS else status
    if not handle:
        return error
    error.provider = text(lib.infer_error_provider(handle))
    error.target = text(lib.infer_error_target(handle))
    error.http_status = lib.infer_error_http_status(handle)
    error.request_id = text(lib.infer_error_request_id(handle))
    error.provider_code = text(lib.infer_error_provider_code(handle))
    error.provider_type = text(lib.infer_error_provider_type(handle))
    error.provider_param = text(lib.infer_error_provider_param(handle))
    error.provider_message = text(lib.infer_error_provider_message(handle))
    error.retryable = lib.infer_error_retryable(handle) == 1
    retry_after_ms = lib.infer_error_retry_after_ms(handle)
    error.retry_after = None if retry_after_ms < 0 else retry_after_ms / 1000
    error.total_cost_nano_usd = nano_usd_of(
        lib.infer_error_total_cost_nano_usd, handle
    )
    error.cost_kind = CostKind(lib.infer_error_cost_kind(handle))
    error.attempts = attempts_of(
        handle, lib.infer_error_attempt_count, lib.infer_error_attempt
    )
    partial = lib.infer_error_partial(handle)
    if partial:
        error.partial = Response(partial, owner=handle)
    return error


def check(status: int, error: Any) -> None:
    """Raises what a function reported; error is its `infer_error **`."""
    if status != lib.INFER_OK:
        raise error_from(status, error[0])
