"""A client for a sandbox in this process that reads like the requests it sends, and a lab to begin
with.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from stemctl.sandbox.api import create_app
from stemctl.sandbox.database import Database

LAB = "c4b8a90b-2963-4d13-aa07-b6f497252dde"
FOREIGN = "5a1d3f6c-0f0e-4c63-8a55-3a1e1ad11111"
OPEN = "5a1d3f6c-0f0e-4c63-8a55-3a1e1ad22222"
NOBODY = "5a1d3f6c-0f0e-4c63-8a55-3a1e1ad99999"

PROJECTS = {
    "projects": [
        {"id": LAB, "name": "Lab"},
        {
            "id": FOREIGN,
            "name": "Foreign",
            "users": {"other@elsewhere.example": {"can_change": True}},
        },
        {"id": OPEN, "name": "Open", "is_public": True},
    ]
}


class Api:
    """Requests as one user; paths are relative to a portal unless they are absolute."""

    def __init__(
        self, database: Database, user: str | None = "user", portal: str = "private", **options: Any
    ) -> None:
        self.database = database
        self.app = create_app(database, **options)
        self.user = user
        self.portal = portal

    def by(self, user: str | None, portal: str = "private") -> Api:
        return Api(self.database, user, portal)

    def __call__(self, method: str, path: str, json: Any = None, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer sandbox-{self.user}"} if self.user else {}
        url = path if path.startswith(("/", "http:")) else f"/api/{self.portal}/{path}"
        if json is not None:
            more["json"] = json

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://sandbox", headers=headers
            ) as client:
                return await client.request(method, url, **more)

        return asyncio.run(send())

    def names(self, path: str, *parameters: tuple[str, Any], field: str = "name") -> list[str]:
        """What a list holds, by name."""
        answer = self("GET", path, params=list(parameters))
        assert answer.status_code == 200, answer.text
        return [record[field] for record in next(iter(answer.json().values()))]

    def session(self, name: str, **fields: Any) -> dict[str, Any]:
        """A new session of the lab's project."""
        answer = self("POST", "stem/session/", {"name": name, "projects": [LAB], **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()["session"]
