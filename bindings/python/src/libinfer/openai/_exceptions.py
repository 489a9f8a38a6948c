# SPDX-License-Identifier: MIT
"""The exceptions of the official package, made from those of the library.

Each has the library's own as its __cause__: with the attempts, whom they asked
and what became of them.
"""

import json
from typing import Any, Dict, Optional, Type

import libinfer
from libinfer.openai._http import Request, Response
from libinfer.openai.types.chat import ChatCompletion


class OpenAIError(Exception):
    """The base of all that this package raises."""


class APIError(OpenAIError):
    def __init__(
        self, message: str, request: Request, *, body: Optional[Any]
    ) -> None:
        super().__init__(message)
        self.message = message
        self.request = request
        self.body = body
        """The provider's error object."""
        told = body if isinstance(body, dict) else {}
        self.code: Optional[str] = told.get("code")
        self.param: Optional[str] = told.get("param")
        self.type: Optional[str] = told.get("type")

    def __reduce__(self) -> Any:
        return _remake, (type(self), self.args, self.__dict__)


def _remake(kind: Type[APIError], args: Any, state: Dict[str, Any]) -> APIError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class APIResponseValidationError(APIError):
    """An answer came that is none."""

    def __init__(
        self,
        response: Response,
        body: Optional[Any],
        *,
        message: Optional[str] = None,
    ) -> None:
        text = message or "Data returned by API invalid for expected schema."
        super().__init__(text, response.request, body=body)
        self.response = response
        self.status_code = response.status_code


class APIStatusError(APIError):
    """The provider answered with a status of failure."""

    def __init__(
        self, message: str, *, response: Response, body: Optional[Any]
    ) -> None:
        super().__init__(message, response.request, body=body)
        self.response = response
        self.status_code = response.status_code
        self.request_id = response.headers.get("x-request-id")


class APIConnectionError(APIError):
    """No answer, or no whole one."""

    def __init__(
        self, *, message: str = "Connection error.", request: Request
    ) -> None:
        super().__init__(message, request, body=None)


class APITimeoutError(APIConnectionError):
    def __init__(self, request: Request) -> None:
        super().__init__(message="Request timed out.", request=request)


class BadRequestError(APIStatusError):
    pass


class AuthenticationError(APIStatusError):
    pass


class PermissionDeniedError(APIStatusError):
    pass


class NotFoundError(APIStatusError):
    pass


class ConflictError(APIStatusError):
    pass


class UnprocessableEntityError(APIStatusError):
    pass


class RateLimitError(APIStatusError):
    pass


class InternalServerError(APIStatusError):
    pass


class LengthFinishReasonError(OpenAIError):
    """What should be parsed ends at the limit of tokens."""

    def __init__(self, *, completion: ChatCompletion) -> None:
        message = (
            "Could not parse response content as the length limit was reached"
        )
        if completion.usage:
            message += f" - {completion.usage}"
        super().__init__(message)
        self.completion = completion


class ContentFilterFinishReasonError(OpenAIError):
    """What should be parsed was withheld."""

    def __init__(self, *, completion: Optional[ChatCompletion] = None) -> None:
        super().__init__(
            "Could not parse response content as the request was rejected by "
            "the content filter"
        )
        self.completion = completion


_BY_STATUS: Dict[int, Type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}


def _body_of(error: libinfer.Error) -> Optional[Dict[str, Any]]:
    """The provider's error object, as far as the library keeps it."""
    if not error.provider_message:
        return None
    return {
        "message": error.provider_message,
        "type": error.provider_type or None,
        "param": error.provider_param or None,
        "code": error.provider_code or None,
    }


def _status_error(
    error: libinfer.Error, request: Request, body: Optional[Any]
) -> APIStatusError:
    status = error.http_status
    text = json.dumps({"error": body}) if body else ""
    response = Response(
        status, text, request, error.request_id, error.retry_after
    )
    by_default = InternalServerError if status >= 500 else APIStatusError
    kind = _BY_STATUS.get(status, by_default)
    told = error.provider_message or error.message
    return kind(f"Error code: {status} - {told}", response=response, body=body)


def exception_of(error: libinfer.Error, request: Request) -> OpenAIError:
    """What the official package raises for such a failure."""
    body = _body_of(error)
    if not isinstance(error, libinfer.CallError):
        return OpenAIError(error.message)
    if isinstance(error, libinfer.CallTimeoutError):
        return APITimeoutError(request)
    if isinstance(error, (libinfer.NetworkError, libinfer.TruncatedError)):
        return APIConnectionError(message=error.message, request=request)
    if error.http_status >= 300:
        return _status_error(error, request, body)
    if isinstance(error, libinfer.AnswerError):
        response = Response(error.http_status, "", request, error.request_id)
        return APIResponseValidationError(response, body, message=error.message)
    told = error.provider_message or error.message
    return APIError(told, request, body=body)
