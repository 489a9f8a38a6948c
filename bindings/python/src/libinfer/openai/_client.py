# SPDX-License-Identifier: MIT
"""The clients of the official package over one of the library's.

Those that with_options() makes share it: retries, timeouts and headers are said
with each request. One is made anew where it has another key or address.
"""

import json
import os
from functools import cached_property
from typing import Any, Dict, List, Mapping, Optional, Tuple, TypeVar

import libinfer
from libinfer.openai._body import merged_headers, policy_of, request_of
from libinfer.openai._completions import AsyncCompletions, Completions
from libinfer.openai._embeddings import AsyncEmbeddings, Embeddings
from libinfer.openai._exceptions import OpenAIError
from libinfer.openai._model_list import AsyncModels, Models
from libinfer.openai._types import (
    DEFAULT_MAX_RETRIES,
    DEFAULT_TIMEOUT,
    NOT_GIVEN,
)

ClientT = TypeVar("ClientT", bound="_Client")

_PROVIDER = "openai"
"""Name of the one provider where no configuration names any."""

_WHERE = (
    "api_key",
    "organization",
    "project",
    "base_url",
    "default_query",
    "config",
)
"""The options that make another client of the library."""


class _Client:
    """What both clients have in common.

    ``api_key``, ``organization``, ``project`` and ``base_url`` are looked for
    in OPENAI_API_KEY, OPENAI_ORG_ID, OPENAI_PROJECT_ID and OPENAI_BASE_URL.
    ``timeout``: how many seconds of silence a call bears, a number or a
    Timeout; ``max_retries``: how often it is tried again. ``config``: a
    configuration of libinfer instead, as libinfer.Client takes it; model is
    then the name of a route or ``provider/model``, and the numbers are those of
    the configuration unless they are given here.
    """

    def __init__(
        self,
        *,
        api_key: Optional[str] = None,
        organization: Optional[str] = None,
        project: Optional[str] = None,
        base_url: Any = None,
        timeout: Any = NOT_GIVEN,
        max_retries: Any = NOT_GIVEN,
        default_headers: Optional[Mapping[str, str]] = None,
        default_query: Optional[Mapping[str, Any]] = None,
        http_client: None = None,
        config: Optional[libinfer.Config] = None,
        _libinfer: Optional[libinfer.Client] = None,
    ) -> None:
        if http_client is not None:
            raise TypeError(
                "http_client is not supported: libinfer has its own"
            )
        self._options: Dict[str, Any] = {
            "api_key": api_key,
            "organization": organization,
            "project": project,
            "base_url": base_url,
            "timeout": timeout,
            "max_retries": max_retries,
            "default_headers": default_headers,
            "default_query": default_query,
            "config": config,
        }
        self._config = config
        if config is None:
            self._look_around()
            timeout = DEFAULT_TIMEOUT if timeout is NOT_GIVEN else timeout
            max_retries = (
                DEFAULT_MAX_RETRIES if max_retries is NOT_GIVEN else max_retries
            )
        else:
            self._no_providers_but_of_config()
        self.timeout = DEFAULT_TIMEOUT if timeout is NOT_GIVEN else timeout
        self.max_retries = max_retries
        self._policy = policy_of(timeout, max_retries)
        self._custom_headers = merged_headers(default_headers)
        self._libinfer = _libinfer or self._new_libinfer()

    def _look_around(self) -> None:
        """Key and address, from the environment where they are not given."""

        def found(name: str, variable: str) -> Any:
            if self._options[name] is None:
                self._options[name] = os.environ.get(variable)
            return self._options[name]

        key = found("api_key", "OPENAI_API_KEY")
        if key is not None and not isinstance(key, str):
            raise TypeError(
                "api_key must be a text: a function is not supported"
            )
        if not key:
            raise OpenAIError("no API key: pass api_key or set OPENAI_API_KEY")
        self.api_key = key
        self.organization = found("organization", "OPENAI_ORG_ID")
        self.project = found("project", "OPENAI_PROJECT_ID")
        url = str(
            found("base_url", "OPENAI_BASE_URL") or "https://api.openai.com/v1"
        )
        self.base_url = url.rstrip("/") + "/"

    def _no_providers_but_of_config(self) -> None:
        for name in _WHERE[:-1]:
            if self._options[name] is not None:
                raise TypeError(
                    f"config names the providers: {name} is part of it"
                )
        self.api_key = self.base_url = ""
        self.organization = self.project = None

    def _new_libinfer(self) -> libinfer.Client:
        config = self._own_config() if self._config is None else self._config
        try:
            return libinfer.Client(config)
        except libinfer.Error as error:
            raise OpenAIError(error.message) from error

    def _own_config(self) -> Dict[str, Any]:
        # The key is a header and no key to the library: one that was refused or
        # is spent is set aside by it, so that another steps in, but here there
        # is no other, and the next call is to hear for itself.
        headers = {"Authorization": f"Bearer {self.api_key}"}
        if self.organization:
            headers["OpenAI-Organization"] = self.organization
        if self.project:
            headers["OpenAI-Project"] = self.project
        query = self._options["default_query"] or {}
        provider = {
            "name": _PROVIDER,
            "type": "openai",
            "base_url": self.base_url.rstrip("/"),
            "auth_scheme": "none",
            "headers": headers,
            "query": {name: str(value) for name, value in query.items()},
        }
        return {"providers": [provider]}

    # ---- For the resources ---------------------------------------------------

    def _url(self, path: str) -> str:
        return self.base_url + path

    def _core(self) -> Any:
        return self._libinfer._open()

    def _request(
        self,
        members: Mapping[str, Any],
        headers: Mapping[str, str],
        policy: Mapping[str, int],
    ) -> Any:
        provider = _PROVIDER if self._config is None else ""
        return request_of(members, headers, policy, provider)

    def _target(self, model: str) -> str:
        return f"{_PROVIDER}/{model}" if self._config is None else model

    def _providers(self) -> List[Tuple[str, str]]:
        """Each with what goes before its models' names."""
        config = self._config
        if config is None:
            return [(_PROVIDER, "")]
        if not isinstance(config, Mapping):
            with open(config, encoding="utf-8") as file:
                config = json.load(file)
        names = [entry["name"] for entry in config.get("providers", ())]
        return [(name, name + "/") for name in names]

    # ---- The client itself ---------------------------------------------------

    @property
    def default_headers(self) -> Dict[str, str]:
        """Those that were given; the library adds its own."""
        return dict(self._custom_headers)

    def copy(
        self: ClientT,
        *,
        default_headers: Optional[Mapping[str, Any]] = None,
        set_default_headers: Optional[Mapping[str, str]] = None,
        default_query: Optional[Mapping[str, Any]] = None,
        set_default_query: Optional[Mapping[str, Any]] = None,
        **options: Any,
    ) -> ClientT:
        """The same client with other options; default_headers and default_query
        are added to those that it has, their set_ forms replace them."""
        made = dict(self._options)
        for name, given in options.items():
            if name not in made:
                raise TypeError(f"with_options() has no option {name!r}")
            if given is not NOT_GIVEN and (
                given is not None or name == "timeout"
            ):
                made[name] = given
        if set_default_headers is not None:
            made["default_headers"] = set_default_headers
        elif default_headers is not None:
            made["default_headers"] = merged_headers(
                self._custom_headers, default_headers
            )
        if set_default_query is not None:
            made["default_query"] = set_default_query
        elif default_query is not None:
            made["default_query"] = {
                **(self._options["default_query"] or {}),
                **default_query,
            }
        same = all(made[name] == self._options[name] for name in _WHERE)
        return type(self)(**made, _libinfer=self._libinfer if same else None)

    with_options = copy

    def is_closed(self) -> bool:
        return self._libinfer._closed

    def __getattr__(self, name: str) -> Any:
        kind = type(self).__name__
        raise AttributeError(
            f"{kind!r} has no attribute {name!r}: of the API there are "
            "chat.completions, embeddings and models"
        )


class OpenAI(_Client):
    __doc__ = _Client.__doc__

    @cached_property
    def chat(self) -> "Chat":
        return Chat(self)

    @cached_property
    def embeddings(self) -> Embeddings:
        return Embeddings(self)

    @cached_property
    def models(self) -> Models:
        return Models(self)

    @property
    def with_raw_response(self) -> "OpenAIWithRawResponse":
        return OpenAIWithRawResponse(self)

    def close(self) -> None:
        """Cancels what is in flight; also for the clients that with_options()
        made of this one."""
        self._libinfer.close()

    def __enter__(self) -> "OpenAI":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncOpenAI(_Client):
    __doc__ = _Client.__doc__

    @cached_property
    def chat(self) -> "AsyncChat":
        return AsyncChat(self)

    @cached_property
    def embeddings(self) -> AsyncEmbeddings:
        return AsyncEmbeddings(self)

    @cached_property
    def models(self) -> AsyncModels:
        return AsyncModels(self)

    @property
    def with_raw_response(self) -> "AsyncOpenAIWithRawResponse":
        return AsyncOpenAIWithRawResponse(self)

    async def close(self) -> None:
        """As of OpenAI."""
        self._libinfer.close()

    async def __aenter__(self) -> "AsyncOpenAI":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class Chat:
    def __init__(self, client: OpenAI) -> None:
        self.completions = Completions(client)


class AsyncChat:
    def __init__(self, client: AsyncOpenAI) -> None:
        self.completions = AsyncCompletions(client)


class _RawChat:
    def __init__(self, chat: Any) -> None:
        self.completions = chat.completions.with_raw_response


class OpenAIWithRawResponse:
    def __init__(self, client: OpenAI) -> None:
        self.chat = _RawChat(client.chat)


class AsyncOpenAIWithRawResponse:
    def __init__(self, client: AsyncOpenAI) -> None:
        self.chat = _RawChat(client.chat)
