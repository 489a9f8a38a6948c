# SPDX-License-Identifier: MIT
"""What goes into a request: plain dictionaries, under the names that programs
annotate and make them by."""

from typing import Any

ChatCompletionMessageParam = dict[str, Any]
ChatCompletionDeveloperMessageParam = dict[str, Any]
ChatCompletionSystemMessageParam = dict[str, Any]
ChatCompletionUserMessageParam = dict[str, Any]
ChatCompletionAssistantMessageParam = dict[str, Any]
ChatCompletionToolMessageParam = dict[str, Any]
ChatCompletionContentPartParam = dict[str, Any]
ChatCompletionContentPartTextParam = dict[str, Any]
ChatCompletionContentPartImageParam = dict[str, Any]
ChatCompletionToolParam = dict[str, Any]
ChatCompletionFunctionToolParam = dict[str, Any]
ChatCompletionToolChoiceOptionParam = dict[str, Any]
ChatCompletionStreamOptionsParam = dict[str, Any]
