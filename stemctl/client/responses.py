"""What an answer of the server means: its record, or an error that says what to do.

ServerError           a request did not succeed
  Unreachable         no answer; `sent` says whether the request may have arrived all the same
  NotAuthorised       401: no token, or one the server does not know
  Forbidden           403: no right
  NotFound            404 in the API's own form: not there, or hidden
  Refused             400 and other 4xx: what was sent is wrong, field by field
  Unavailable         429 or 5xx after all tries
    Paused            not sent, because the server had asked for a pause
  NotTheApi           an answer that is not the API's: a page, a redirect, JSON of another shape
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from stemctl.client.proxy import ProxyFailed, ProxyRefused
from stemctl.errors import Hint, StemctlError
from stemctl.schema.catalog import Model
from stemctl.schema.value_shapes import fits
from stemctl.util.json_types import Fields, Value, is_id
from stemctl.util.redact import masked
from stemctl.util.strict_json import read_json

_LONGEST_MESSAGE = 1000
_MOST_MESSAGES = 20
_LOOKED_AT = 10_000
"""Characters of a page that are searched for its title."""


class ServerError(StemctlError):
    """A request did not succeed. A server may echo what it was sent, so a token is masked here,
    where answers become errors.
    """

    def __init__(
        self,
        what: str,
        why: str = "",
        hints: Sequence[Hint] = (),
        *,
        status: int | None = None,
        messages: Mapping[str, Sequence[str]] | None = None,
        sent: bool = True,
    ) -> None:
        super().__init__(masked(what), masked(why), hints)
        self.status = status
        self.messages = {
            masked(name): [masked(text) for text in texts]
            for name, texts in (messages or {}).items()
        }
        self.sent = sent


class Unreachable(ServerError):
    """There was no answer."""


class NotAuthorised(ServerError):
    """The server wants a token, or does not know this one."""


class Forbidden(ServerError):
    """This account has no right to do this."""


class NotFound(ServerError):
    """There is no such record, or this account may not see it."""


class Refused(ServerError):
    """The server does not take what was sent; `messages` maps fields to what it says of them."""


class Unavailable(ServerError):
    """The server cannot answer now."""


class Paused(Unavailable):
    """The server had asked for a pause, so what must follow a look at once was not sent."""

    def __init__(self) -> None:
        super().__init__("The server asked for a pause.", status=429, sent=False)


class NotTheApi(ServerError):
    """Something answered that is not the API."""


def one_record(answer: Mapping[str, Any], *keys: str) -> Fields:
    """The record in the envelope of one: under a known key, else under the only key that holds an
    object.

    Raises:
        NotTheApi: there is none.
    """
    objects = [
        value
        for key, value in answer.items()
        if isinstance(value, dict) and key not in ("meta", "links")
    ]
    found = [answer[key] for key in keys if isinstance(answer.get(key), dict)] or objects
    if len(found) == 1 and is_id(found[0].get("id")):
        return dict(found[0])
    raise NotTheApi(
        f"The server's answer has no {keys[0]!r} with an id.", f"It has {named(answer)}."
    )


def checked_record(fields: Value, model: Model) -> Fields:
    """A record of a model as the server answered it, if it has an id and every field the shape of
    its kind.

    Raises:
        NotTheApi: it cannot be compared or shown.
    """
    if not isinstance(fields, dict) or not is_id(fields.get("id")):
        raise NotTheApi(
            f"The server lists a {model.words} without an id.", f"It is {fields!r:.80}."
        )
    known = model.fields
    for name, value in fields.items():
        if name in known and not fits(known[name], value):
            raise NotTheApi(
                f"The server's {model.words} {fields['id']} has a {name} of another shape than documented.",
                f"It is {value!r:.80}.",
            )
    return fields


def named(answer: Mapping[str, Any]) -> str:
    """The keys of an answer, the first of them if there are many."""
    names = [repr(key)[:40] for key in answer]
    return ", ".join(names[:8] + ["..."] * (len(names) > 8)) or "nothing"


@dataclass(frozen=True, slots=True)
class Response:
    """An answer that has arrived as a whole: its body is unpacked."""

    status_code: int
    headers: httpx.Headers
    content: bytes


def read_response(response: Response, method: str, base: str, url: str = "") -> dict[str, Any]:
    """The JSON object of an answer, or the ServerError that it means. `url` says what was asked
    for, for people.
    """
    status = response.status_code
    if 300 <= status < 400:
        where = response.headers.get("Location", "somewhere else")
        raise NotTheApi(
            f"The server answered {status} and points to {where[:200]}.",
            "Redirects are never followed. Is the url in stemctl.yaml right?",
            status=status,
        )
    if status >= 400:
        raise failure(response, method, base, url)
    if status not in _SUCCESS:
        raise NotTheApi(f"The server answered {status}, which the API never does.", status=status)
    if (
        status == 204
        or (method == "DELETE" and not response.content)
        or not response.content.strip()
    ):
        return {}
    if "html" in response.headers.get("Content-Type", "") or response.content.lstrip()[:1] == b"<":
        raise NotTheApi(
            f"{base} answered with an HTML page{_title(_text(response))} in place of data.",
            "A login page? Then the url or the token is not right.",
            [("stemctl doctor", "looks at the server, the token and your rights")],
            status=status,
        )
    try:
        answer = read_json(response.content.decode("utf-8-sig"))
    except ValueError as error:
        raise NotTheApi(
            "The server's answer is cut off, or no JSON.", _because(error), status=status
        ) from error
    if not isinstance(answer, dict):
        raise NotTheApi(
            "The server's answer is no JSON object.", f"It is {answer!r:.80}.", status=status
        )
    return answer


def failure(response: Response, method: str, base: str, url: str = "") -> ServerError:
    """The error that an answer of 400 and above means, with the server's own words in one line."""
    status = response.status_code
    messages = error_messages(response)
    foreign = (
        _is_foreign(response) if method != "GET" else status == 404 and not _is_of_the_api(response)
    )
    if foreign:
        said = "; ".join(text for texts in messages.values() for text in texts)
        return NotTheApi(
            f"{url or base} answered {status}, but not in the form of the API.",
            f"It says: {said or 'nothing'}. This is a proxy, or a URL that the server does not have, "
            f"so it does not show whether {'the record exists' if status == 404 else 'the request was carried out'}.",
            (_DOCTOR,),
            status=status,
        )
    said = "; ".join(
        f"{name}: {' '.join(texts)}" if name else " ".join(texts)
        for name, texts in messages.items()
    )
    host = urlsplit(base).hostname or base
    kind, what, hints = _KINDS.get(status, (Refused if status < 500 else Unavailable, "", ()))
    what = (what or "The server answered {status}.").format(status=status, host=host, method=method)
    return kind(
        what, f"The server says: {said}" if said else "", hints, status=status, messages=messages
    )


_SUCCESS = (200, 201, 204)
"""What the API answers to what it has done; 202 says no more than that it may do it."""

_LOGIN: Hint = ("stemctl login", "gets a new token, in your browser")
_DOCTOR: Hint = ("stemctl doctor", "looks at the server, the token and your rights")
_KINDS: dict[int, tuple[type[ServerError], str, tuple[Hint, ...]]] = {
    400: (Refused, "The server refused what was sent (400).", ()),
    401: (
        NotAuthorised,
        "{host} does not accept the token, or there is none (401).",
        (_LOGIN, _DOCTOR),
    ),
    403: (Forbidden, "Your account has no right to do this on {host} (403).", (_DOCTOR,)),
    404: (NotFound, "{host} has no such record or address, or hides it from you (404).", ()),
    429: (Unavailable, "{host} asks for a pause, and still did after three tries (429).", ()),
    503: (Unavailable, "{host} is not available now (503).", ()),
}


def _is_of_the_api(response: Response) -> bool:
    """Whether an error has the form of the API, `{"detail": text}`: pages and errors of proxies
    have others.
    """
    try:
        body = read_json(_text(response))
    except ValueError:
        return False
    return (
        isinstance(body, dict)
        and set(body) <= {"detail", "error"}
        and isinstance(body.get("detail"), str)
    )


def _is_foreign(response: Response) -> bool:
    """Whether the refusal of a write is no proof that it was not carried out: one that the API
    would not put so.
    """
    status = response.status_code
    if status == 404:
        return not _is_of_the_api(response)
    if status >= 500 or status in (407, 429):
        return False
    try:
        return not isinstance(read_json(_text(response)), dict | list)
    except ValueError:
        return True


def error_messages(response: Response) -> dict[str, list[str]]:
    """Field to messages, whatever shape the body has; what belongs to no field stands under `""`.

    Seen: an object of field to messages (nested once or more), an object with `detail`, a bare list
    of messages, HTML, and plain text.
    """
    try:
        body = read_json(_text(response))
    except ValueError:
        text = _text(response).strip()
        if "<" in text[:200]:
            return {"": [_title(text).strip(" ()") or "an HTML page"]}
        return {"": [text[:200]]} if text else {}
    found = list(_flat("", body).items())[:_MOST_MESSAGES]
    return {
        name[:_LONGEST_MESSAGE]: [text[:_LONGEST_MESSAGE] for text in texts[:_MOST_MESSAGES]]
        for name, texts in found
    }


def _text(response: Response) -> str:
    """The body as text, whatever its headers say and its bytes are."""
    return response.content.decode("utf-8-sig", "replace")


def _because(error: ValueError) -> str:
    """What is wrong with the text, without the text."""
    return "It is not UTF-8." if isinstance(error, UnicodeError) else f"{error}."


def _flat(name: str, body: Any) -> dict[str, list[str]]:
    if isinstance(body, dict):
        result: dict[str, list[str]] = {}
        for key, value in body.items():
            plain = key in ("detail", "error", "non_field_errors", "message")
            path = name if plain else f"{name}.{key}".lstrip(".")
            for field_name, texts in _flat(path, value).items():
                result.setdefault(field_name, []).extend(texts)
        return result
    if isinstance(body, list):
        if all(not isinstance(item, dict | list) for item in body):
            return {name: [str(item) for item in body]} if body else {}
        return {k: v for i, item in enumerate(body) for k, v in _flat(f"{name}[{i}]", item).items()}
    return {name: [str(body)]} if body not in (None, "") else {}


def _title(text: str) -> str:
    found = re.search(
        r"<title[^>]*>(.*?)</title>", text[:_LOOKED_AT], re.IGNORECASE | re.ASCII | re.DOTALL
    )
    return f" ({' '.join(found[1].split())[:60]})" if found and found[1].strip() else ""


def unreachable(error: httpx.HTTPError, base: str, sent: bool) -> Unreachable:
    """What a fault below HTTP means for the user."""
    if isinstance(error, ProxyFailed | ProxyRefused):
        return Unreachable(error.what, error.why, error.hints, sent=False)
    late = isinstance(error, httpx.TimeoutException)
    what = f"{base} did not answer in time." if late else f"{base} cannot be reached."
    why = str(error).strip() or type(error).__name__
    return Unreachable(what, f"{why}. Is the server there, and the network?", [_DOCTOR], sent=sent)
