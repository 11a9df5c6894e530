"""An editor, as far as a language server sees one: JSON-RPC over a pipe."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from typing import Any

PATIENCE = 60
"""Seconds after which an answer is not coming any more; no test waits so long where all is well."""


class Editor:
    """A folder opened in an editor with one language server.

    `settings` are those of the editor, by dotted name, as `.vscode/settings.json` holds them.
    """

    def __init__(
        self, server: subprocess.Popen[bytes], folder: Path, settings: Mapping[str, Any]
    ) -> None:
        self._server, self._folder, self._settings = server, folder, settings
        self._sent = 0
        self._answers: Queue[Any] = Queue()
        self._findings: dict[str, Queue[Any]] = {}
        threading.Thread(target=self._listen, daemon=True).start()
        self._ask("initialize", self._greeting())
        self._tell("initialized", {})
        self._tell("workspace/didChangeConfiguration", {"settings": nested(settings)})

    def open(self, name: str, text: str) -> list[str]:
        """Open a file with this text, whatever the disk has; what the server finds wrong in it."""
        uri = self._uri(name)
        self._findings[uri] = Queue()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._tell("textDocument/didOpen", {"textDocument": document})
        return [finding["message"] for finding in self._findings[uri].get(timeout=PATIENCE)]

    def complete(self, name: str, line: int, column: int) -> dict[str, dict[str, Any]]:
        """What the server proposes at a place (lines and columns from 0), by label."""
        answer = self._ask("textDocument/completion", self._at(name, line, column))
        items = answer["items"] if isinstance(answer, dict) else answer or []
        return {item["label"]: item for item in items}

    def hover(self, name: str, line: int, column: int) -> str:
        """What the server shows under the mouse; empty if that is nothing."""
        answer = self._ask("textDocument/hover", self._at(name, line, column))
        if not answer:
            return ""
        contents = answer["contents"]
        return str(contents["value"] if isinstance(contents, dict) else contents)

    def _uri(self, name: str) -> str:
        return (self._folder / name).as_uri()

    def _at(self, name: str, line: int, column: int) -> dict[str, Any]:
        return {
            "textDocument": {"uri": self._uri(name)},
            "position": {"line": line, "character": column},
        }

    def _greeting(self) -> dict[str, Any]:
        text = {
            "completion": {
                "completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}
            },
            "hover": {"contentFormat": ["markdown"]},
            "publishDiagnostics": {},
        }
        uri = self._folder.as_uri()
        return {
            "processId": None,
            "rootUri": uri,
            "workspaceFolders": [{"uri": uri, "name": self._folder.name}],
            "capabilities": {
                "textDocument": text,
                "workspace": {
                    "configuration": True,
                    "workspaceFolders": True,
                    "didChangeConfiguration": {},
                },
            },
        }

    def _ask(self, method: str, params: Any) -> Any:
        self._sent += 1
        self._send({"id": self._sent, "method": method, "params": params})
        while True:
            try:
                answer = self._answers.get(timeout=PATIENCE)
            except Empty:
                raise AssertionError(f"the language server does not answer {method}") from None
            if answer["id"] == self._sent:
                assert "error" not in answer, answer["error"]
                return answer.get("result")

    def _tell(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._server.stdin is not None
        self._server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._server.stdin.flush()

    def _listen(self) -> None:
        for message in messages(self._server):
            if "method" not in message:
                self._answers.put(message)
            elif "id" in message:
                self._send({"id": message["id"], "result": self._asked(message)})
            elif message["method"] == "textDocument/publishDiagnostics":
                found = message["params"]
                self._findings.setdefault(found["uri"], Queue()).put(found["diagnostics"])

    def _asked(self, message: dict[str, Any]) -> Any:
        """Answer requests for settings by section, and any other request with null."""
        if message["method"] != "workspace/configuration":
            return None
        return [
            nested(self._settings).get(item.get("section", ""), {})
            for item in message["params"]["items"]
        ]


def messages(server: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    """What a server writes, until it closes its output."""
    assert server.stdout is not None
    length = 0
    while line := server.stdout.readline():
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
        elif not line.strip():
            yield json.loads(server.stdout.read(length))


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """`{"yaml.validate": true}` as `{"yaml": {"validate": true}}`."""
    tree: dict[str, Any] = {}
    for name, value in settings.items():
        *path, last = name.split(".")
        inner = tree
        for step in path:
            inner = inner.setdefault(step, {})
        inner[last] = value
    return tree


@contextmanager
def editor(
    command: Sequence[str],
    folder: Path,
    settings: Mapping[str, Any],
    environment: Mapping[str, str],
    errors: Path,
) -> Iterator[Editor]:
    """An editor of a folder, with a server of its own that ends with it; what that says on stderr
    goes to `errors`.
    """
    pipe = subprocess.PIPE
    with errors.open("wb") as stderr:
        server = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=stderr, env=dict(environment)
        )
        try:
            yield Editor(server, folder, settings)
        finally:
            server.kill()
            server.communicate()
