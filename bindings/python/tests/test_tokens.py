# SPDX-License-Identifier: MIT
"""Tokens of the application's own, against a small provider."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Dict, Iterator, List, Tuple

import pytest

import libinfer

ANSWER = json.dumps(
    {
        "id": "c",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "hi"},
                "finish_reason": "stop",
            }
        ],
    }
).encode()


class Provider(BaseHTTPRequestHandler):
    least = 1

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        number = int(self.headers.get("Authorization", "0").split("-")[-1])
        good = number >= Provider.least
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", str(len(ANSWER) if good else 2))
        self.end_headers()
        self.wfile.write(ANSWER if good else b"{}")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def config() -> Iterator[Dict[str, Any]]:
    Provider.least = 1
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {
        "providers": [
            {
                "name": "p",
                "type": "azure-openai",
                "base_url": f"http://127.0.0.1:{server.server_port}",
                "upstream": "unary",
            }
        ],
        "defaults": {"retries": 0},
    }
    server.shutdown()
    server.server_close()


def test_one_token_for_all_renewed_when_it_is_refused(config: Dict[str, Any]) -> None:
    asked: List[bool] = []

    def fetch(refused: bool) -> Tuple[str, float]:
        time.sleep(0.05)  # as a fetch would take
        asked.append(refused)
        return f"token-{len(asked)}", time.time() + 3600

    with libinfer.Client(config, token_sources={"p": fetch}) as client:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: client.chat("p/m", "x").text, range(16)))
        assert answers == ["hi"] * 16
        assert asked == [False]
        Provider.least = 2
        assert client.chat("p/m", "x").text == "hi"
        assert asked == [False, True]
        client.reload(config, token_sources={"p": fetch})
        assert client.chat("p/m", "x").text == "hi"
        assert len(asked) == 2


@pytest.mark.parametrize(
    "failure, error",
    [
        (libinfer.AuthError("no consent"), libinfer.AuthError),
        (OSError("no route"), libinfer.ServerError),
    ],
)
def test_a_source_that_has_none(
    config: Dict[str, Any], failure: Exception, error: Any
) -> None:
    def fetch(refused: bool) -> str:
        raise failure

    with libinfer.Client(config, token_sources={"p": fetch}) as client:
        with pytest.raises(error, match=str(failure)):
            client.chat("p/m", "x")
