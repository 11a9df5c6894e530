"""When a request is sent again, after which pause, and how long an answer is waited for. Said here
and nowhere else.

| what happened                              | GET   | PATCH, DELETE     | POST, any proposal
|
|--------------------------------------------|-------|-------------------|---------------------------|
| no connection was made                     | again | after reading the | again
| | 429                                        | again | record again      | again
| | 502, 503, 504, connection lost, no answer  | again | after reading the | looked for by its
content,| | in time, truncated or invalid JSON         |       | record again      | never sent
again          | | any other answer                           | taken as it is            |
|

Three tries, with growing pauses; after 429 and 503 all requests pause together, as long as the
server asks for. What is looked for and not found is planned anew: `planning.in_doubt` says when.
"""

from __future__ import annotations

import datetime
import email.utils
import random
from collections.abc import Mapping

import httpx

from stemctl.client.proxy import ProxyRefused

TRIES = 3
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
DEADLINE = 60.0
"""Seconds for a whole answer. `TIMEOUT` begins again with each byte, so that a server could hold us
for ever.
"""

BUSY = frozenset({429, 503})
"""The server asks everybody to wait."""

_TEMPORARY = BUSY | {502, 504}
_LONGEST_PAUSE = 300.0
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


READ_FIRST = frozenset({"PATCH", "DELETE"})
"""What is sent only right after the record was read. After any wait, it has to be read again."""


def may_retry_status(method: str, status: int) -> bool:
    """Whether the same request may go out again after an answer of this status."""
    if method in READ_FIRST:
        return False
    return status == 429 or (method == "GET" and status in _TEMPORARY)


def may_have_arrived(error: httpx.HTTPError) -> bool:
    """Whether a request that failed below HTTP may have been carried out."""
    return not isinstance(error, _NOT_SENT)


def may_retry_error(method: str, error: httpx.HTTPError) -> bool:
    """Whether the same request may go out again after a fault below HTTP."""
    if isinstance(error, ProxyRefused):
        return False
    return method == "GET" or (method not in READ_FIRST and not may_have_arrived(error))


def backoff(attempt: int) -> float:
    """Seconds before the next try: about 0.5, then 1, spread so that many clients do not come back
    at once.
    """
    return 0.5 * float(2 ** (attempt - 1)) * random.uniform(0.5, 1.5)


def retry_after(headers: Mapping[str, str], attempt: int) -> float:
    """Seconds that `Retry-After` asks for, given as a number or as a date; a growing pause if it
    asks for nothing.

    A date is taken against the server's own clock, if the answer tells it.
    """
    asked = headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit():
        return min(float(asked), _LONGEST_PAUSE)
    until = _moment(asked)
    if until is None:
        return backoff(attempt)
    now = _moment(headers.get("Date", "")) or datetime.datetime.now(datetime.UTC)
    return min(max(0.0, (until - now).total_seconds()), _LONGEST_PAUSE)


def _moment(text: str) -> datetime.datetime | None:
    """The time that a header names; None if it names none that there is."""
    try:
        found = email.utils.parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).astimezone(
            datetime.UTC
        )
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
