"""Take all pages of a list with nothing but sockets, eight at a time: `bare.py URL COUNT`.

What the server is able to deliver: nothing is parsed, checked or kept.
"""

from __future__ import annotations

import http.client
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import local
from urllib.parse import urlsplit

HEADERS = {"Authorization": "Bearer sandbox-user", "Accept": "application/json"}


def main(url: str, count: int) -> None:
    """Read every page of 100 sessions."""
    mine, address = local(), urlsplit(url).netloc

    def take(offset: int) -> None:
        if not hasattr(mine, "connection"):
            mine.connection = http.client.HTTPConnection(address)
        path = f"/api/private/stem/session/?sort%5B%5D=id&limit=100&offset={offset}"
        mine.connection.request("GET", path, headers=HEADERS)
        answer = mine.connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(take, range(0, count, 100)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
