"""Remotes as forges have them: git over http with a password, and over an ssh that never leaves
this machine.
"""

from __future__ import annotations

import base64
import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

USER, PASSWORD = "x-access-token", "a-secret-of-the-forge"
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
SECRETS = (PASSWORD, BASIC)


@dataclass
class Forge:
    """Serves the repositories of a folder to who knows the password. `reader`: they may read, and
    not push.

    `seen` are the requests that knew it. `echo`: what is refused is refused with what was sent, as
    some proxies do.
    """

    folder: Path
    url: str = ""
    reader: bool = False
    echo: bool = False
    seen: list[str] = field(default_factory=list)

    def url_of(self, name: str) -> str:
        return f"{self.url}{name}"


@contextlib.contextmanager
def http_forge(folder: Path) -> Iterator[Forge]:
    """A forge on a loopback port: git's own program for web servers behind Basic authentication."""
    forge = Forge(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told = [value.partition(" ")[2] for value in self.headers.get_all("Authorization", [])]
            if told != [BASIC]:  # more than one such header is refused, as forges do
                return self.answer(
                    401, b"Who are you?\n", {"WWW-Authenticate": 'Basic realm="forge"'}
                )
            forge.seen.append(f"{self.command} {self.path}")
            if forge.reader and "git-receive-pack" in self.path:
                echo = self.headers["Authorization"] if forge.echo else ""
                body = f"Write access not granted. {echo}\n".encode()
                return self.answer(403, body, {"Content-Type": "text/plain"})
            environ = {
                "GIT_PROJECT_ROOT": str(forge.folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH": os.environ["PATH"],
                "HOME": os.environ["HOME"],
                "GIT_CONFIG_NOSYSTEM": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "REMOTE_USER": USER,
                "REMOTE_ADDR": "127.0.0.1",
                "CONTENT_LENGTH": str(len(sent)),
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            }
            done = subprocess.run(
                ["git", "http-backend"], input=sent, capture_output=True, env=environ, check=False
            )
            head, _, body = done.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
            return self.answer(int(headers.pop("Status", "200").split()[0]), body, headers)

        do_POST = do_GET

        def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        forge.url = f"http://127.0.0.1:{server.server_address[1]}/"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield forge
        finally:
            server.shutdown()
            thread.join()


def local_ssh(folder: Path) -> Path:
    """An ssh that logs its arguments, and runs the command on this machine."""
    script = folder / "local ssh.sh"
    lines = [
        "#!/bin/sh",
        "for last; do :; done",
        f"echo \"$@\" >> '{folder / 'ssh.log'}'",
        'exec sh -c "$last"',
    ]
    script.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    script.chmod(0o755)
    return script
