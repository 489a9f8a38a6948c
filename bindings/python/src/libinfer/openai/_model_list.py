# SPDX-License-Identifier: MIT
"""client.models: what the providers list."""

import asyncio
from typing import (
    TYPE_CHECKING,
    Any,
    AsyncIterator,
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


def _fetch(client: Any, timeout: Any) -> List[Model]:
    """The models of all providers; where the client has a configuration of
    several, by the names that it takes."""
    seconds = seconds_of(client.timeout if timeout is NOT_GIVEN else timeout)
    found: List[Model] = []
    try:
        for provider, prefix in client._providers():
            for entry in client._libinfer.models(provider, seconds):
                found.append(Model(**{**entry, "id": prefix + entry["id"]}))
    except libinfer.Error as error:
        raise exception_of(
            error, Request("GET", client._url("models"))
        ) from error
    return found


class Models:
    def __init__(self, client: "OpenAI") -> None:
        self._client = client

    def list(self, *, timeout: Any = NOT_GIVEN) -> SyncPage[Model]:
        found = _fetch(self._client, timeout)
        return SyncPage(data=found, object="list")


class AsyncModels:
    def __init__(self, client: "AsyncOpenAI") -> None:
        self._client = client

    def list(self, *, timeout: Any = NOT_GIVEN) -> AsyncPaginator[Model]:
        async def fetch() -> AsyncPage[Model]:
            # The library only has a list that is waited for.
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(
                None, _fetch, self._client, timeout
            )
            return AsyncPage(data=found, object="list")

        return AsyncPaginator(fetch)
