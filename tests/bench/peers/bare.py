"""Take all pages of a list, or create records, with nothing but sockets, eight at a time:
`bare.py URL list|create COUNT`.

What the server is able to deliver: nothing is parsed, checked or kept.
"""

from __future__ import annotations

import http.client
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import local
from urllib.parse import urlsplit

from tests.bench import labs

HEADERS = {"Authorization": "Bearer sandbox-user", "Accept": "application/json"}
SESSIONS = "/api/private/stem/session/"


def main(url: str, work: str, count: int) -> None:
    """Read every page of 100 sessions, or create `count` sessions."""
    mine, address = local(), urlsplit(url).netloc
    headers = {**HEADERS, "Content-Type": "application/json"}

    def send(method: str, path: str, body: bytes | None, status: int) -> None:
        if not hasattr(mine, "connection"):
            mine.connection = http.client.HTTPConnection(address)
        mine.connection.request(method, path, body, headers if body else HEADERS)
        answer = mine.connection.getresponse()
        answer.read()
        assert answer.status == status, answer.status

    def take(offset: int) -> None:
        send("GET", f"{SESSIONS}?sort%5B%5D=id&limit=100&offset={offset}", None, 200)

    def create(number: int) -> None:
        send("POST", SESSIONS, json.dumps(labs.body(number)).encode(), 201)

    with ThreadPoolExecutor(8) as pool:
        if work == "list":
            list(pool.map(take, range(0, count, 100)))
        else:
            list(pool.map(create, range(count)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
