"""What a lab's own script does with the official client: `official.py URL list|create|update|delete
COUNT`.
"""

from __future__ import annotations

import sys

from brainstem_api_tools import BrainstemClient

from tests.bench import labs


def main(url: str, work: str, count: int) -> None:
    """Do `work` with `count` sessions, one after the other."""
    with BrainstemClient(token="sandbox-user", url=url) as client:
        if work == "list":
            found = client.load("session", load_all=True)["sessions"]
            assert len(found) == count, len(found)
        for number in range(count if work != "list" else 0):
            id_ = labs.session_id(number)
            if work == "create":
                answer = client.save("session", data=labs.body(number))
            elif work == "update":
                answer = client.save(
                    "session", id=id_, data={"description": labs.body(number, True)["description"]}
                )
            else:
                answer = client.delete("session", id=id_)
            assert answer.ok, answer.text


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
