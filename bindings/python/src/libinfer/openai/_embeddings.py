# SPDX-License-Identifier: MIT
"""client.embeddings."""

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Dict, Iterator, Mapping

import libinfer
from libinfer._aio import aembed
from libinfer._embed import embed, embed_request
from libinfer.openai._body import merged_headers, plain, policy_of
from libinfer.openai._exceptions import exception_of
from libinfer.openai._http import Request
from libinfer.openai._types import NOT_GIVEN
from libinfer.openai.types import CreateEmbeddingResponse

if TYPE_CHECKING:
    from libinfer.openai._client import AsyncOpenAI, OpenAI


@contextmanager
def _translated(client: Any) -> Iterator[None]:
    try:
        yield
    except libinfer.Error as error:
        request = Request("POST", client._url("embeddings"))
        raise exception_of(error, request) from error


def _members(
    dimensions: Any, encoding_format: Any, user: Any, extra_body: Any
) -> Dict[str, Any]:
    named = {
        "dimensions": dimensions,
        "encoding_format": encoding_format,
        "user": user,
        **(extra_body or {}),
    }
    members: Dict[str, Any] = plain(named)
    return members


def _prepare(
    client: Any,
    model: str,
    inputs: Any,
    members: Dict[str, Any],
    extra_headers: Any,
    timeout: Any,
) -> Any:
    how = (
        None,
        merged_headers(client._custom_headers, extra_headers),
        (),
        None,
        None,
        False,
        {**client._policy, **policy_of(timeout, NOT_GIVEN)},
    )
    return embed_request(client._target(model), plain(inputs), members, how)


def _response(found: Any, members: Mapping[str, Any]) -> CreateEmbeddingResponse:
    encoding = members.get("encoding_format", "float")
    return CreateEmbeddingResponse(**found.raw(encoding))


class Embeddings:
    def __init__(self, client: "OpenAI") -> None:
        self._client = client

    def create(
        self,
        *,
        input: Any,
        model: str,
        dimensions: Any = NOT_GIVEN,
        encoding_format: Any = NOT_GIVEN,
        user: Any = NOT_GIVEN,
        extra_headers: Any = None,
        extra_body: Any = None,
        timeout: Any = NOT_GIVEN,
    ) -> CreateEmbeddingResponse:
        """Vectors of texts; any number of them, which are sent in parts."""
        client = self._client
        members = _members(dimensions, encoding_format, user, extra_body)
        with _translated(client):
            request = _prepare(client, model, input, members, extra_headers, timeout)
            found = embed(client._core(), request)
        return _response(found, members)


class AsyncEmbeddings:
    def __init__(self, client: "AsyncOpenAI") -> None:
        self._client = client

    async def create(
        self,
        *,
        input: Any,
        model: str,
        dimensions: Any = NOT_GIVEN,
        encoding_format: Any = NOT_GIVEN,
        user: Any = NOT_GIVEN,
        extra_headers: Any = None,
        extra_body: Any = None,
        timeout: Any = NOT_GIVEN,
    ) -> CreateEmbeddingResponse:
        """As of OpenAI."""
        client = self._client
        members = _members(dimensions, encoding_format, user, extra_body)
        with _translated(client):
            request = _prepare(client, model, input, members, extra_headers, timeout)
            found = await aembed(client._core(), request)
        return _response(found, members)
