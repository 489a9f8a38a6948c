# SPDX-License-Identifier: MIT
"""Prints an answer as it comes. Ctrl-C ends it, here and at the provider.

    python stream.py [MODEL [PROMPT]]
"""

import os
import sys

import libinfer


def main(model: str = "openai/gpt-4o-mini", prompt: str = "Tell me a story.") -> int:
    client = libinfer.Client(os.environ.get("INFER_CONFIG"))
    try:
        with client.stream(model, prompt) as stream:
            for event in stream:
                if isinstance(event, libinfer.TextEvent):
                    print(event.text, end="", flush=True)
                elif isinstance(event, libinfer.RestartEvent):
                    print(f"\n[starting over: {event.reason}]")
                elif isinstance(event, libinfer.FinishEvent):
                    print(f"\n(finish reason: {event.reason})")
    except libinfer.Error as error:
        print(f"\n{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n[stopped]")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
