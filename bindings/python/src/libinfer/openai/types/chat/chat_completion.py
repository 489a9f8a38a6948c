# SPDX-License-Identifier: MIT
"""A whole answer."""

from typing import Any, Dict, List, Optional

from libinfer.openai._models import BaseModel
from libinfer.openai.types import CompletionUsage
from libinfer.openai.types.chat.chat_completion_message import (
    ChatCompletionMessage,
)
from libinfer.openai.types.chat.chat_completion_token_logprob import (
    ChoiceLogprobs,
)


class Choice(BaseModel):
    finish_reason: str
    index: int
    logprobs: Optional[ChoiceLogprobs] = None
    message: ChatCompletionMessage


class ChatCompletion(BaseModel):
    id: str
    choices: List[Choice]
    created: int
    model: str
    object: str
    metadata: Optional[Dict[str, str]] = None
    moderation: Optional[Dict[str, Any]] = None
    service_tier: Optional[str] = None
    system_fingerprint: Optional[str] = None
    usage: Optional[CompletionUsage] = None
