# SPDX-License-Identifier: MIT
"""client.models: what the providers list."""

from contextlib import contextmanager
from typing import (
    TYPE_CHECKING,
    Any,
    AsyncIterator,
    Dict,
    Generator,
    Generic,
    Iterator,
    List,
    TypeVar,
)

import libinfer
from libinfer.openai._body import seconds_of
from libinfer.openai._exceptions import exception_of
from libinfer.openai._http import Request
from libinfer.openai._models import BaseModel
from libinfer.openai._types import NOT_GIVEN
from libinfer.openai.types import Model

if TYPE_CHECKING:
    from libinfer.openai._client import AsyncOpenAI, OpenAI

ItemT = TypeVar("ItemT")


class SyncPage(BaseModel, Generic[ItemT]):
    """All of a list: there is one page."""

    data: List[ItemT]
    object: str

    def __iter__(self) -> Iterator[ItemT]:  # type: ignore[override]
        return iter(self.data)

    def has_next_page(self) -> bool:
        return False


class AsyncPage(BaseModel, Generic[ItemT]):
    """All of a list: there is one page."""

    data: List[ItemT]
    object: str

    async def __aiter__(self) -> AsyncIterator[ItemT]:
        for item in self.data:
            yield item

    def has_next_page(self) -> bool:
        return False


class AsyncPaginator(Generic[ItemT]):
    """To be awaited for the page, or iterated over with ``async for``."""

    def __init__(self, fetch: Any) -> None:
        self._fetch = fetch

    def __await__(self) -> Generator[Any, None, AsyncPage[ItemT]]:
        page: AsyncPage[ItemT] = yield from self._fetch().__await__()
        return page

    async def __aiter__(self) -> AsyncIterator[ItemT]:
        for item in (await self).data:
            yield item


@contextmanager
def _translated(client: Any) -> Iterator[None]:
    try:
        yield
    except libinfer.Error as error:
        request = Request("GET", client._url("models"))
        raise exception_of(error, request) from error


def _seconds(client: Any, timeout: Any) -> float:
    return seconds_of(client.timeout if timeout is NOT_GIVEN else timeout)


def _named(entries: List[Dict[str, Any]], prefix: str) -> List[Model]:
    """Where the client has a configuration of several providers, by the names
    that it takes."""
    return [Model(**{**entry, "id": prefix + entry["id"]}) for entry in entries]


class Models:
    def __init__(self, client: "OpenAI") -> None:
        self._client = client

    def list(self, *, timeout: Any = NOT_GIVEN) -> SyncPage[Model]:
        """The models of all providers."""
        client, found = self._client, []
        seconds = _seconds(client, timeout)
        with _translated(client):
            for provider, prefix in client._providers():
                entries = client._libinfer.models(provider, seconds)
                found += _named(entries, prefix)
        return SyncPage(data=found, object="list")


class AsyncModels:
    def __init__(self, client: "AsyncOpenAI") -> None:
        self._client = client

    def list(self, *, timeout: Any = NOT_GIVEN) -> AsyncPaginator[Model]:
        """The models of all providers."""

        async def fetch() -> AsyncPage[Model]:
            client, found = self._client, []
            seconds = _seconds(client, timeout)
            with _translated(client):
                for provider, prefix in client._providers():
                    entries = await client._libinfer.amodels(provider, seconds)
                    found += _named(entries, prefix)
            return AsyncPage(data=found, object="list")

        return AsyncPaginator(fetch)
