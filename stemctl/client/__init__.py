"""The API over HTTP: requests, answers, and what an answer proves."""

import sys

# httpx, which a proxy needs, imports its own command line with itself, and rich and pygments with
# that: longer work than httpx itself. It goes without where that cannot be imported, which is what
# None says here.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
