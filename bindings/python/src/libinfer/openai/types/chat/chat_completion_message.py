# SPDX-License-Identifier: MIT
"""The assistant's message, with its tool calls."""

from typing import List, Optional, Union

from libinfer.openai._models import BaseModel


class AnnotationURLCitation(BaseModel):
    end_index: int
    start_index: int
    title: str
    url: str


class Annotation(BaseModel):
    type: str
    url_citation: AnnotationURLCitation


class ChatCompletionAudio(BaseModel):
    id: str
    data: str
    expires_at: int
    transcript: str


class FunctionCall(BaseModel):
    arguments: str
    name: str


class Function(BaseModel):
    arguments: str
    """As the model wrote them: JSON if it did its work well."""
    name: str


class ChatCompletionMessageFunctionToolCall(BaseModel):
    id: str
    function: Function
    type: str


class Custom(BaseModel):
    input: str
    name: str


class ChatCompletionMessageCustomToolCall(BaseModel):
    id: str
    custom: Custom
    type: str


ChatCompletionMessageToolCallUnion = Union[
    ChatCompletionMessageFunctionToolCall, ChatCompletionMessageCustomToolCall
]


class ChatCompletionMessage(BaseModel):
    content: Optional[str] = None
    refusal: Optional[str] = None
    role: str
    annotations: Optional[List[Annotation]] = None
    audio: Optional[ChatCompletionAudio] = None
    function_call: Optional[FunctionCall] = None
    tool_calls: Optional[List[ChatCompletionMessageToolCallUnion]] = None
