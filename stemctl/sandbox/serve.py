"""Serves the sandbox on the loopback address, for other programs."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

from stemctl.errors import ConfigError
from stemctl.sandbox.api import create_app
from stemctl.sandbox.database import Database
from stemctl.sandbox.faults.injector import WithFaults
from stemctl.sandbox.likeness import Likeness
from stemctl.sandbox.whole_answers import WholeAnswers


def serve(
    database: Database,
    port: int,
    ready: Callable[[str], None],
    faults: Path | None = None,
    likeness: Likeness | None = None,
) -> None:
    """Serve a database until Ctrl-C. `faults` is a fault script, `likeness` the answers of another
    server. See also `serve_app`.

    Raises:
        ConfigError: the port is taken.
    """
    app = create_app(database, likeness=likeness)
    serve_app(WithFaults(app, faults, database.catalog) if faults else app, port, ready)


def serve_app(app: Any, port: int, ready: Callable[[str], None]) -> None:
    """Serve an ASGI app until Ctrl-C. Port 0 takes a free port. `ready` is called with the URL.

    Raises:
        ConfigError: the port is taken.
    """
    # asyncio sends small parts at once only if the socket is declared as TCP. Otherwise each
    # response takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        hint = ("stemctl sandbox serve --port 0", "uses a free port")
        raise ConfigError(f"Port {port} cannot be used.", str(error.strerror), [hint]) from error
    listener.listen(128)
    ready(f"http://127.0.0.1:{listener.getsockname()[1]}/")
    with listener:
        uvicorn.Server(
            uvicorn.Config(
                app, http=WholeAnswers, log_level="warning", access_log=False, lifespan="off"
            )
        ).run(sockets=[listener])
