"""The sandbox as a server on the loopback address, for other programs."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn

from stemctl.errors import ConfigError
from stemctl.sandbox.app import create_app
from stemctl.sandbox.database import Database


def serve(database: Database, port: int, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C. Port 0 takes a free one; `ready` is told the URL once connections are accepted.

    Raises:
        ConfigError: the port is taken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        hint = ("stemctl sandbox serve --port 0", "takes a free one")
        raise ConfigError(f"Port {port} cannot be used.", str(error.strerror), [hint]) from error
    listener.listen(128)
    ready(f"http://127.0.0.1:{listener.getsockname()[1]}/")
    config = uvicorn.Config(create_app(database), log_level="warning", lifespan="off")
    with listener:
        uvicorn.Server(config).run(sockets=[listener])
