# SPDX-License-Identifier: MIT
"""What exceptions and raw responses tell of the exchange.

The library keeps of an answer's headers only what it uses itself. These stand
where the official package has the objects of its HTTP client, with as much.
"""

import json
from typing import Any, Dict, Iterator, Mapping, Optional


class Headers(Mapping[str, str]):
    """Names are compared without regard to case."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {name.lower(): value for name, value in values.items()}

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({self._values!r})"


class Request:
    """Where a request went."""

    def __init__(self, method: str, url: str) -> None:
        self.method = method
        self.url = url

    def __repr__(self) -> str:
        return f"<Request({self.method!r}, {self.url!r})>"


class Response:
    """What came back: the status, the body as the library reads it, and of the
    headers x-request-id and retry-after-ms."""

    def __init__(
        self,
        status_code: int,
        text: str,
        request: Request,
        request_id: str = "",
        retry_after: Optional[float] = None,
    ) -> None:
        self.status_code = status_code
        self.text = text
        self.request = request
        headers: Dict[str, str] = {}
        if request_id:
            headers["x-request-id"] = request_id
        if retry_after is not None:
            headers["retry-after-ms"] = str(round(retry_after * 1000))
            headers["retry-after"] = str(round(retry_after))
        self.headers = Headers(headers)

    @property
    def content(self) -> bytes:
        return self.text.encode()

    @property
    def url(self) -> str:
        return self.request.url

    def json(self) -> Any:
        return json.loads(self.text)

    def __repr__(self) -> str:
        return f"<Response [{self.status_code}]>"
