"""The user's browser: it is given an address, and no token."""

from __future__ import annotations

import os

from stemctl.util.redact import without_tokens


def open_in_browser(address: str) -> bool:
    """Open an address in a browser, whose process inherits this environment without its tokens."""
    import webbrowser

    before = dict(os.environ)
    hidden = before.keys() - without_tokens(before).keys()
    for name in hidden:
        del os.environ[name]
    try:
        return webbrowser.open(address)
    finally:
        os.environ.update({name: before[name] for name in hidden})
