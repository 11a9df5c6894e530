"""GitLab, as far as the jobs see it: the API v4 for notes and issues, and repositories over HTTP,
on loopback.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

JOB = "glcbt-job"
"""How the token of a job begins; the number of its project follows. It may read that project, and
nothing more.
"""

MEMBER, BOT = 7, 41


@dataclass
class Project:
    """A project: where its repository is, and what is written in it."""

    id: int
    path: str
    remote: Path
    public: bool = False
    notes: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    issues: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class GitLab:
    """All projects, and tokens with what they may: `api`, `write_repository`."""

    projects: Sequence[Project]
    tokens: Mapping[str, str]
    url: str = ""
    broken: set[str] = field(default_factory=set)
    """Requests, as `GET notes`, that fail."""
    asked: list[str] = field(default_factory=list)

    def project(self, id_: str) -> Project:
        return next(project for project in self.projects if str(project.id) == id_)

    def answer(
        self, method: str, path: str, query: Mapping[str, str], form: Mapping[str, str], token: str
    ) -> Any:
        """A status, and what is answered as JSON."""
        self.asked.append(f"{method} {path}")
        if self.tokens.get(token) != "api":
            return 401, {"message": "401 Unauthorized"}
        if f"{method} {path.rpartition('/')[2]}" in self.broken:
            return 502, {"message": "Bad Gateway"}
        match method, path.split("/"):
            case "GET", ["user"]:
                return 200, {"id": BOT}
            case "GET", ["projects", project, "merge_requests", iid, "notes"]:
                return 200, page(self.project(project).notes.get(int(iid), []), query)
            case "POST", ["projects", project, "merge_requests", iid, "notes"]:
                notes = self.project(project).notes.setdefault(int(iid), [])
                notes.append({"id": 100 + len(notes), "author": {"id": BOT}, "body": form["body"]})
                return 201, notes[-1]
            case "PUT", ["projects", project, "merge_requests", iid, "notes", id_]:
                note = next(
                    note for note in self.project(project).notes[int(iid)] if str(note["id"]) == id_
                )
                if note["author"]["id"] != BOT:
                    return 403, {"message": "403 Forbidden"}
                note["body"] = form["body"]
                return 200, note
            case "GET", ["projects", project, "issues"]:
                wanted = (query["state"], query["labels"])
                issues = self.project(project).issues
                return 200, page([i for i in issues if (i["state"], i["labels"]) == wanted], query)
            case "POST", ["projects", project, "issues"]:
                issues = self.project(project).issues
                issues.append({"iid": len(issues) + 1, "state": "opened", "notes": [], **form})
                return 201, issues[-1]
            case "PUT", ["projects", project, "issues", iid]:
                issue = self.project(project).issues[int(iid) - 1]
                issue |= {"state": "closed"} if form.get("state_event") == "close" else form
                return 200, issue
            case "POST", ["projects", project, "issues", iid, "notes"]:
                self.project(project).issues[int(iid) - 1]["notes"].append(form["body"])
                return 201, {}
        return 404, {"message": "404 Not Found"}

    def may(self, project: Project, service: str, password: str) -> bool:
        """Whether a password lets one fetch from a repository, or push to it."""
        if service == "git-receive-pack":
            return self.tokens.get(password) == "write_repository"
        return project.public or password in (f"{JOB}-{project.id}", *self.tokens)


def page(rows: list[Any], query: Mapping[str, str]) -> list[Any]:
    """A page of a list."""
    size = int(query["per_page"])
    first = (int(query.get("page", 1)) - 1) * size
    return rows[first : first + size]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    gitlab: GitLab

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def handle_any(self) -> None:
        url = urlsplit(self.path)
        given = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if url.path.startswith("/api/v4/"):
            query, form = (
                {key: values[0] for key, values in parse_qs(text, keep_blank_values=True).items()}
                for text in (url.query, given.decode())
            )
            token = self.headers.get("PRIVATE-TOKEN", "")
            status, said = self.gitlab.answer(
                self.command, url.path.removeprefix("/api/v4/"), query, form, token
            )
            self.send(status, [("Content-Type", "application/json")], json.dumps(said).encode())
        else:
            self.repository(url.path, url.query, given)

    do_GET = do_POST = do_PUT = handle_any

    def repository(self, path: str, query: str, given: bytes) -> None:
        """What git asks for, answered by git's own program for it."""
        name, _, rest = path.lstrip("/").partition(".git/")
        project = next((project for project in self.gitlab.projects if project.path == name), None)
        service = query.removeprefix("service=") or rest
        password = (
            base64.b64decode(self.headers.get("Authorization", "").partition(" ")[2])
            .decode()
            .partition(":")[2]
        )
        if project is None or not self.gitlab.may(project, service, password):
            self.send(401, [("WWW-Authenticate", 'Basic realm="GitLab"')], b"")
            return
        environ = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(project.remote),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "uploadpack.allowAnySHA1InWant",
            "GIT_CONFIG_VALUE_0": "true",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(given)),
            "REQUEST_METHOD": self.command,
            "QUERY_STRING": query,
            "PATH_INFO": f"/{rest}",
            "REMOTE_USER": "somebody",
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(
            ["git", "http-backend"], input=given, capture_output=True, env=environ, check=True
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n")]
        status = next((int(value.split()[0]) for key, value in headers if key == "Status"), 200)
        self.send(status, [(key, value) for key, value in headers if key != "Status"], body)

    def send(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def serving(gitlab: GitLab) -> Iterator[None]:
    """Serve it on a port of loopback, which its `url` then names."""
    handler = type("Served", (Handler,), {"gitlab": gitlab})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        gitlab.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
