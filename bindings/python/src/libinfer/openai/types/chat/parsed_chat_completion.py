# SPDX-License-Identifier: MIT
"""What parse() gives: the answer, and what was read from its JSON."""

from typing import Any, Generic, List, Optional, TypeVar

from libinfer.openai.types.chat.chat_completion import ChatCompletion, Choice
from libinfer.openai.types.chat.chat_completion_message import (
    ChatCompletionMessage,
    ChatCompletionMessageFunctionToolCall,
    Function,
)

ContentT = TypeVar("ContentT")


class ParsedFunction(Function):
    parsed_arguments: Optional[Any] = None
    """Of a tool made by pydantic_function_tool(): an object of its class; of
    another strict tool: JSON's objects."""


class ParsedFunctionToolCall(ChatCompletionMessageFunctionToolCall):
    function: ParsedFunction


_ToolCalls = Optional[List[ParsedFunctionToolCall]]


class ParsedChatCompletionMessage(ChatCompletionMessage, Generic[ContentT]):
    parsed: Optional[ContentT] = None
    tool_calls: _ToolCalls = None  # type: ignore[assignment]


class ParsedChoice(Choice, Generic[ContentT]):
    message: ParsedChatCompletionMessage[ContentT]


class ParsedChatCompletion(ChatCompletion, Generic[ContentT]):
    choices: List[ParsedChoice[ContentT]]  # type: ignore[assignment]
