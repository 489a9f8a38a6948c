# SPDX-License-Identifier: MIT
"""Asks one question.

    python chat.py [MODEL [PROMPT]]

INFER_CONFIG may name a configuration file; without it the providers are those
whose key is in the environment.
"""

import os
import sys

import libinfer


def main(model: str = "openai/gpt-4o-mini", prompt: str = "Say hello.") -> int:
    with libinfer.Client(os.environ.get("INFER_CONFIG")) as client:
        try:
            response = client.chat(model, prompt)
        except libinfer.Error as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return 1
        print(response.text)
        print(f"({response.target}, {response.usage.total} tokens)")
        return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
