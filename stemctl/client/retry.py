"""Which requests are sent again, after which pause, and how long to wait for a response.

Reads (GET):
  sent again after any temporary failure: no connection, 429, 502, 503, 504, connection lost,
  no response in time, truncated or invalid JSON.
PATCH and DELETE:
  sent again only after the record was read again.
POST, and every proposal:
  sent again if no connection was made, or after 429. After any other failure, the record is
  searched by its content, and the request is never sent again.
Any other response is taken as it is.

There are three attempts, with growing pauses. After 429 and 503, all requests pause together, for
as long as the server asks. What was searched and not found is planned again: see
`planning.in_doubt`.
"""

from __future__ import annotations

import datetime
import email.utils
import random
from collections.abc import Mapping

from stemctl.client.failures import NoResponse, NotSent, ProxyRefused
from stemctl.client.http_types import Timeout

ATTEMPTS = 3
TIMEOUT = Timeout(connect=10.0, write=30.0, read=30.0)
DEADLINE = 60.0
"""Seconds for a whole response. `TIMEOUT` restarts with each byte, so it is no limit."""

BUSY = frozenset({429, 503})
"""The server asks for a pause."""

_TEMPORARY = BUSY | {502, 504}
_MAX_PAUSE = 300.0

READ_FIRST = frozenset({"PATCH", "DELETE"})
"""Methods that must follow a read of the record at once. After any wait, it is read again."""


def may_retry_status(method: str, status: int) -> bool:
    """Whether a request may be sent again after a response with this status."""
    if method in READ_FIRST:
        return False
    return status == 429 or (method == "GET" and status in _TEMPORARY)


def may_have_arrived(error: NoResponse) -> bool:
    """Whether a request that failed below HTTP may have been carried out."""
    return not isinstance(error, NotSent)


def may_retry_error(method: str, error: NoResponse) -> bool:
    """Whether a request may be sent again after a failure below HTTP."""
    if isinstance(error, ProxyRefused):
        return False
    return method == "GET" or (method not in READ_FIRST and not may_have_arrived(error))


def backoff(attempt: int) -> float:
    """Seconds before the next attempt: about 0.5, then 1, with jitter."""
    return 0.5 * float(2 ** (attempt - 1)) * random.uniform(0.5, 1.5)


def retry_after(headers: Mapping[str, str], attempt: int) -> float:
    """Seconds that `Retry-After` asks for, as a number or as a date; else a growing pause.

    A date is compared with the clock of the server if the response has a `Date`.
    """
    asked = headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return min(float(asked), _MAX_PAUSE)
    until = _moment(asked)
    if until is None:
        return backoff(attempt)
    now = _moment(headers.get("date", "")) or datetime.datetime.now(datetime.UTC)
    return min(max(0.0, (until - now).total_seconds()), _MAX_PAUSE)


def _moment(text: str) -> datetime.datetime | None:
    """The time in a header; None if it is not a valid time."""
    try:
        found = email.utils.parsedate_to_datetime(text)
        if not found.tzinfo:
            found = found.replace(tzinfo=datetime.UTC)
        return found.astimezone(datetime.UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
