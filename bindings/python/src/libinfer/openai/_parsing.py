# SPDX-License-Identifier: MIT
"""Answers into objects of the program's own classes.

These are made with pydantic, which is imported when a program uses it; the
library itself does without.
"""

import json
from importlib import import_module
from typing import Any, Dict, List, Mapping, Optional

from libinfer.openai._exceptions import (
    ContentFilterFinishReasonError,
    LengthFinishReasonError,
)
from libinfer.openai._schema import strict
from libinfer.openai._types import NotGiven
from libinfer.openai.types.chat import ChatCompletion, ParsedChatCompletion


class PydanticFunctionTool(Dict[str, Any]):
    """The function object of a tool, which remembers its class."""

    def __init__(self, definition: Mapping[str, Any], model: Any) -> None:
        super().__init__(definition)
        self.model = model


def _adapter(kind: Any) -> Any:
    """pydantic's own view of a class."""
    try:
        pydantic: Any = import_module("pydantic")
    except ImportError as error:
        raise TypeError(
            f"{kind!r} needs pydantic, which is not installed"
        ) from error
    is_model = isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)
    if not is_model and not hasattr(kind, "__pydantic_config__"):
        raise TypeError(
            f"{kind!r} is neither a pydantic model nor a dictionary"
        )
    return pydantic.TypeAdapter(kind)


def pydantic_function_tool(
    model: Any, *, name: Optional[str] = None, description: Optional[str] = None
) -> Dict[str, Any]:
    """A strict tool whose arguments are a pydantic model; parse() makes objects
    of it."""
    definition = {
        "name": name or model.__name__,
        "strict": True,
        "parameters": strict(_adapter(model).json_schema()),
    }
    text = description if description is not None else model.__doc__
    if text is not None:
        definition["description"] = text
    return {
        "type": "function",
        "function": PydanticFunctionTool(definition, model),
    }


def response_format_of(response_format: Any) -> Any:
    """The request's member for a class; a dictionary is one already."""
    if (
        isinstance(response_format, (NotGiven, Mapping))
        or response_format is None
    ):
        return response_format
    schema = strict(_adapter(response_format).json_schema())
    return {
        "type": "json_schema",
        "json_schema": {
            "name": response_format.__name__,
            "schema": schema,
            "strict": True,
        },
    }


def check_tools(tools: Any) -> List[Dict[str, Any]]:
    """The tools as a list; only strict functions can be parsed."""
    if isinstance(tools, NotGiven) or tools is None:
        return []
    checked = list(tools)
    for tool in checked:
        kind = tool["type"]
        if kind != "function":
            raise ValueError(
                f"parse() takes tools of type function, not {kind!r}"
            )
        if tool["function"].get("strict") is not True:
            name = tool["function"]["name"]
            raise ValueError(
                f"the tool {name!r} is not strict and cannot be parsed"
            )
    return checked


def parsed(
    completion: ChatCompletion,
    response_format: Any,
    tools: List[Dict[str, Any]],
) -> ParsedChatCompletion[Any]:
    """The same answer with its objects."""
    for choice in completion.choices:
        if choice.finish_reason == "length":
            raise LengthFinishReasonError(completion=completion)
        if choice.finish_reason == "content_filter":
            raise ContentFilterFinishReasonError(completion=completion)
    members = completion.to_dict()
    functions = {tool["function"]["name"]: tool["function"] for tool in tools}
    for choice_members in members["choices"]:
        _parse_message(choice_members["message"], response_format, functions)
    made: ParsedChatCompletion[Any] = ParsedChatCompletion(**members)
    made._request_id = completion._request_id
    return made


def _parse_message(
    message: Dict[str, Any], response_format: Any, functions: Mapping[str, Any]
) -> None:
    calls = [
        call
        for call in message.get("tool_calls") or ()
        if call["type"] == "function"
    ]
    for call in calls:
        call["function"]["parsed_arguments"] = _arguments(
            call["function"], functions
        )
    message["tool_calls"] = calls or None
    text = message.get("content")
    wanted = not isinstance(response_format, (NotGiven, Mapping, type(None)))
    made = None
    if wanted and text and not message.get("refusal"):
        made = _adapter(response_format).validate_json(text)
    message["parsed"] = made


def _arguments(call: Mapping[str, Any], functions: Mapping[str, Any]) -> Any:
    function = functions.get(call["name"])
    if isinstance(function, PydanticFunctionTool):
        return _adapter(function.model).validate_json(call["arguments"])
    return json.loads(call["arguments"]) if function is not None else None
