# SPDX-License-Identifier: MIT
"""What with_raw_response gives: the answer, and what the exchange was."""

from typing import Any, Generic, TypeVar

from libinfer.openai._http import Headers, Request, Response

T = TypeVar("T")


class LegacyAPIResponse(Generic[T]):
    """Named as in the official package."""

    def __init__(
        self, parsed: T, response: Response, retries_taken: int
    ) -> None:
        self._parsed = parsed
        self.http_response = response
        self.retries_taken = retries_taken
        """Attempts of the call beyond the first, those at other targets too."""

    def parse(self) -> T:
        return self._parsed

    @property
    def headers(self) -> Headers:
        return self.http_response.headers

    @property
    def request_id(self) -> Any:
        return self.headers.get("x-request-id")

    @property
    def status_code(self) -> int:
        return self.http_response.status_code

    @property
    def http_request(self) -> Request:
        return self.http_response.request

    @property
    def url(self) -> str:
        return self.http_request.url

    @property
    def method(self) -> str:
        return self.http_request.method

    @property
    def text(self) -> str:
        """The answer as the library assembles it; "" of a stream."""
        return self.http_response.text

    @property
    def content(self) -> bytes:
        return self.http_response.content

    def json(self) -> Any:
        return self.http_response.json()

    def __repr__(self) -> str:
        return f"<APIResponse [{self.status_code}] type={type(self._parsed)}>"
