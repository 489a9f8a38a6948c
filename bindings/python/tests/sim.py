# SPDX-License-Identifier: MIT
"""A simulated provider as a child process: `infer sim`, see docs/sim.md."""

import http.client
import json
import os
import subprocess
import tempfile
import time
from typing import Any, Dict, List


class Sim:
    """Serves a script until it is stopped or this process ends."""

    def __init__(self, script: Dict[str, Any]) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(script, file)
            file.flush()
            self._process = subprocess.Popen(
                [
                    os.environ.get("INFER_TOOL", "infer"),
                    "sim",
                    "--script",
                    file.name,
                    "--exit-on-stdin-eof",
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,  # Ctrl-C is not for it
            )
            assert self._process.stdout is not None
            line = self._process.stdout.readline()
        assert line.startswith("listening "), line
        self.origin = line.split()[1]
        self.url = self.origin + "/v1"
        self.port = int(self.origin.rsplit(":", 1)[1])

    def get(self, path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def log(self, count: int = 0, within: float = 5) -> List[Dict[str, Any]]:
        """Its log, once at least count requests have ended."""
        until = time.monotonic() + within
        while True:
            entries: List[Dict[str, Any]] = self.get("/_sim/log")
            ended = [e for e in entries if e["end"] not in ("open", "silent")]
            if len(ended) >= count:
                return entries
            assert time.monotonic() < until, f"{len(ended)} ended, not {count}"
            time.sleep(0.005)

    def open_streams(self) -> int:
        return int(self.get("/_sim/stats")["open_streams"])

    def wait_open(self, count: int, within: float = 5) -> None:
        until = time.monotonic() + within
        while self.open_streams() != count:
            assert time.monotonic() < until, f"{self.open_streams()}, not {count}"
            time.sleep(0.005)

    def stop(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()


def config_of(*sims: Sim, **members: Any) -> Dict[str, Any]:
    """A configuration with a provider a, b, ... for each simulator."""
    providers = [
        {"name": name, "type": "openai", "base_url": sim.url, "proxy": "none"}
        for name, sim in zip("abcd", sims)
    ]
    return {"providers": providers, **members}
