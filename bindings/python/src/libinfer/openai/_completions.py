# SPDX-License-Identifier: MIT
"""client.chat.completions, blocking and for asyncio."""

import json
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Literal,
    Optional,
    Tuple,
    Union,
    overload,
)

import libinfer
from libinfer import _aio, _stream
from libinfer.openai._body import check_parameters, merged_headers, policy_of
from libinfer.openai._exceptions import exception_of
from libinfer.openai._http import Request, Response
from libinfer.openai._parsing import check_tools, parsed, response_format_of
from libinfer.openai._response import LegacyAPIResponse
from libinfer.openai._streaming import AsyncStream, Stream
from libinfer.openai._types import NOT_GIVEN, NotGiven
from libinfer.openai.types.chat import (
    ChatCompletion,
    ChatCompletionChunk,
    ParsedChatCompletion,
)

if TYPE_CHECKING:
    from libinfer.openai._client import AsyncOpenAI, OpenAI

Chunks = Stream[ChatCompletionChunk]
AsyncChunks = AsyncStream[ChatCompletionChunk]

Made = Tuple[Any, Optional[libinfer.Response]]
"""What a call gives, and the library's answer if it is a whole one."""


class _Call:
    """One call as it was asked for, whichever way it is made.

    The options are the members of OpenAI's request, and extra_headers,
    extra_query, extra_body and timeout: how the call is to be made."""

    def __init__(self, what: str, client: Any, options: Dict[str, Any]) -> None:
        headers = options.pop("extra_headers", None)
        body = options.pop("extra_body", None)
        timeout = options.pop("timeout", NOT_GIVEN)
        if options.pop("extra_query", None):
            raise TypeError(
                "extra_query is not supported; default_query of a client is"
            )
        check_parameters(what, options)
        given = {
            n: v for n, v in options.items() if not isinstance(v, NotGiven)
        }
        self.stream = bool(given.get("stream"))
        self.members = {**given, **(body or {})}
        self.headers = merged_headers(client._custom_headers, headers)
        self.policy = {**client._policy, **policy_of(timeout, NOT_GIVEN)}
        self.wire = Request("POST", client._url("chat/completions"))
        self._client = client

    def begin(self) -> Tuple[Any, Any]:
        """The library's client and request."""
        request = self._client._request(self.members, self.headers, self.policy)
        return self._client._core(), request

    def answer(self, response: libinfer.Response) -> ChatCompletion:
        completion = ChatCompletion(**response.raw)
        completion._request_id = response.request_id or None
        return completion

    def raw(
        self, answer: Any, response: Optional[libinfer.Response]
    ) -> LegacyAPIResponse[Any]:
        if response is None:  # a stream, which has only begun
            return LegacyAPIResponse(answer, Response(200, "", self.wire), 0)
        status = response.attempts[-1].http_status
        text = json.dumps(response.raw, ensure_ascii=False)
        http = Response(status, text, self.wire, response.request_id)
        return LegacyAPIResponse(answer, http, len(response.attempts) - 1)


def _parse_call(
    client: Any, options: Dict[str, Any]
) -> Tuple[_Call, Callable[[ChatCompletion], ParsedChatCompletion[Any]]]:
    """The call, and what reads its answer."""
    if options.get("stream"):
        raise TypeError("parse() does not stream")
    response_format = options.get("response_format", NOT_GIVEN)
    tools = check_tools(options.get("tools", NOT_GIVEN))
    options["response_format"] = response_format_of(response_format)
    options["tools"] = tools or NOT_GIVEN
    call = _Call("parse", client, options)
    return call, lambda completion: parsed(completion, response_format, tools)


class Completions:
    def __init__(self, client: "OpenAI") -> None:
        self._client = client

    @property
    def with_raw_response(self) -> "CompletionsWithRawResponse":
        return CompletionsWithRawResponse(self)

    def _make(self, call: _Call) -> Made:
        try:
            core, request = call.begin()
            if call.stream:
                stream = Chunks(
                    _stream.Stream(core, request), call.members, call.wire
                )
                stream._begin()
                return stream, None
            response = _stream.chat(core, request)
            return call.answer(response), response
        except libinfer.Error as error:
            raise exception_of(error, call.wire) from error

    @overload
    def create(self, *, stream: Literal[True], **options: Any) -> Chunks: ...

    @overload
    def create(
        self,
        *,
        stream: Union[Literal[False], None, NotGiven] = ...,
        **options: Any,
    ) -> ChatCompletion: ...

    @overload
    def create(
        self, *, stream: Optional[bool], **options: Any
    ) -> Union[ChatCompletion, Chunks]: ...

    def create(self, **options: Any) -> Any:
        """An answer, or with stream=True its chunks.

        The options are the members of OpenAI's request; model and messages are
        needed. extra_body: further members; extra_headers; timeout."""
        return self._make(_Call("create", self._client, options))[0]

    def parse(self, **options: Any) -> ParsedChatCompletion[Any]:
        """An answer whose JSON is read: by response_format, a pydantic class,
        and for the arguments of strict tools. Options as of create()."""
        call, read = _parse_call(self._client, options)
        return read(self._make(call)[0])


class CompletionsWithRawResponse:
    """The same calls, whose result also tells of the exchange."""

    def __init__(self, completions: Completions) -> None:
        self._completions = completions

    def create(self, **options: Any) -> LegacyAPIResponse[Any]:
        call = _Call("create", self._completions._client, options)
        return call.raw(*self._completions._make(call))

    def parse(
        self, **options: Any
    ) -> LegacyAPIResponse[ParsedChatCompletion[Any]]:
        call, read = _parse_call(self._completions._client, options)
        completion, response = self._completions._make(call)
        return call.raw(read(completion), response)


class AsyncCompletions:
    def __init__(self, client: "AsyncOpenAI") -> None:
        self._client = client

    @property
    def with_raw_response(self) -> "AsyncCompletionsWithRawResponse":
        return AsyncCompletionsWithRawResponse(self)

    async def _make(self, call: _Call) -> Made:
        try:
            core, request = call.begin()
            if call.stream:
                events = _aio.AsyncStream(core, request)
                stream = AsyncChunks(events, call.members, call.wire)
                await stream._begin()
                return stream, None
            response = await _aio.achat(core, request)
            return call.answer(response), response
        except libinfer.Error as error:
            raise exception_of(error, call.wire) from error

    @overload
    async def create(
        self, *, stream: Literal[True], **options: Any
    ) -> AsyncChunks: ...

    @overload
    async def create(
        self,
        *,
        stream: Union[Literal[False], None, NotGiven] = ...,
        **options: Any,
    ) -> ChatCompletion: ...

    @overload
    async def create(
        self, *, stream: Optional[bool], **options: Any
    ) -> Union[ChatCompletion, AsyncChunks]: ...

    async def create(self, **options: Any) -> Any:
        """As of Completions."""
        return (await self._make(_Call("create", self._client, options)))[0]

    async def parse(self, **options: Any) -> ParsedChatCompletion[Any]:
        """As of Completions."""
        call, read = _parse_call(self._client, options)
        return read((await self._make(call))[0])


class AsyncCompletionsWithRawResponse:
    """As CompletionsWithRawResponse."""

    def __init__(self, completions: AsyncCompletions) -> None:
        self._completions = completions

    async def create(self, **options: Any) -> LegacyAPIResponse[Any]:
        call = _Call("create", self._completions._client, options)
        return call.raw(*await self._completions._make(call))

    async def parse(
        self, **options: Any
    ) -> LegacyAPIResponse[ParsedChatCompletion[Any]]:
        call, read = _parse_call(self._completions._client, options)
        completion, response = await self._completions._make(call)
        return call.raw(read(completion), response)
