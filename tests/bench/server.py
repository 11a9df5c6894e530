"""A sandbox to measure against, as a process: many sessions, added latency, and a count of what was
asked.

`GET /bench?latency=SECONDS` answers with what was counted since the last such request, and begins
anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from stemctl.sandbox.api import create_app
from stemctl.sandbox.database import Database
from stemctl.sandbox.serve import serve_app
from stemctl.schema.catalog import load_catalog
from tests.bench import labs, nested_labs


@dataclass
class Counted:
    """Requests, and the most that were in flight together."""

    requests: int = 0
    most: int = 0


class Measured:
    """The sandbox behind a line of some length."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.latency = 0.0
        self.now = 0
        self.counted = Counted()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/bench":
            await self._begin_anew(scope, send)
            return
        self.counted.requests += 1
        self.now += 1
        self.counted.most = max(self.counted.most, self.now)

        async def answered(message: Any) -> None:
            # Before the client can have the end of the answer: what it sends then is no longer in
            # flight with this.
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self.now -= 1
            await send(message)

        if self.latency:
            await asyncio.sleep(self.latency)
        await self.app(scope, receive, answered)

    async def _begin_anew(self, scope: Any, send: Any) -> None:
        asked = parse_qs(scope["query_string"].decode())
        self.latency = float(asked["latency"][0])
        text = json.dumps(asdict(self.counted)).encode()
        self.counted = Counted()
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"application/json")],
            }
        )
        await send({"type": "http.response.body", "body": text})


def main(count: int, file: str, edition: str) -> None:
    """Serve `count` sessions from a database in `file`, until the process is ended."""
    database = Database(Path(file), load_catalog(edition))
    plain = {"projects": [labs.PROJECT], "sessions": [*labs.live(count)]}
    with contextlib.closing(database):
        database.seed(plain if edition == "2024" else nested_labs.SEED)
        serve_app(Measured(create_app(database)), 0, lambda url: print(url, flush=True))


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
