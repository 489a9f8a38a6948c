# SPDX-License-Identifier: MIT
"""Asks a provider, and another one when that fails; shows who was asked.

    python failover.py URL MODEL URL MODEL

The first server and model are asked first. The URLs are those of anything that
speaks the OpenAI protocol.
"""

import sys
from typing import Any, Dict

import libinfer


def config_of(urls: Dict[str, str], *targets: str) -> Dict[str, Any]:
    providers = [
        {"name": name, "type": "openai", "base_url": url, "proxy": "none"}
        for name, url in urls.items()
    ]
    route = {"targets": list(targets), "timeouts": {"first_token_ms": 8000}}
    return {"providers": providers, "routes": {"safe": route}}


def main(url: str, model: str, other_url: str, other_model: str) -> int:
    urls = {"first": url, "second": other_url}
    config = config_of(urls, f"first/{model}", f"second/{other_model}")
    with libinfer.Client(config) as client:
        try:
            response = client.chat("safe", "Say hello.")
        except libinfer.CallError as error:
            attempts, answer = error.attempts, str(error)
        else:
            attempts, answer = response.attempts, response.text
    for number, attempt in enumerate(attempts, 1):
        reason = libinfer.Reason(attempt.reason).name.lower()
        what = libinfer.STATUS_TEXTS[attempt.status]
        print(f"{number}. {attempt.target} ({reason}): {what}")
    print(answer)
    return 0 if attempts and attempts[-1].won else 1


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit("usage: failover.py URL MODEL URL MODEL")
    sys.exit(main(*sys.argv[1:]))
