"""The meaning of a response: a record, or an error that says what to do.

ServerError           a request did not succeed
  Unreachable         no response; `sent` says whether the request may have arrived
  NotAuthorised       401: no token, or a token that the server does not know
  Forbidden           403: no permission
  NotFound            404 in the form of the API: no such record, or a hidden one
  Refused             400 and other 4xx: the request is wrong, field by field
  Unavailable         429 or 5xx after all attempts
    Paused            not sent, because the server had asked for a pause
  NotTheApi           a response that is not the API's: a page, a redirect, JSON of another shape
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from stemctl.client.certificates import refused_certificate, remedy
from stemctl.client.failures import NoResponse, ProxyFailed, ProxyRefused, TimedOut
from stemctl.errors import Hint, StemctlError, Untouched
from stemctl.schema.models import Model
from stemctl.schema.value_shapes import fits
from stemctl.util.json_types import Fields, Value, is_id
from stemctl.util.redact import masked
from stemctl.util.strict_json import HalfCharacter, read_json

_MAX_MESSAGE = 1000
_MAX_MESSAGES = 20
_MAX_SEARCHED = 10_000
"""Characters of a page in which its title is searched."""


class ServerError(StemctlError):
    """A request did not succeed. Tokens are masked, since a server may repeat what it was sent."""

    def __init__(
        self,
        what: str,
        why: str = "",
        hints: Sequence[Hint] = (),
        *,
        status: int | None = None,
        messages: Mapping[str, Sequence[str]] | None = None,
        sent: bool = True,
        untouched: Untouched | None = None,
    ) -> None:
        super().__init__(masked(what), masked(why), hints, untouched)
        self.status = status
        self.messages = {
            masked(name): [masked(text) for text in texts]
            for name, texts in (messages or {}).items()
        }
        self.sent = sent


class Unreachable(ServerError):
    """There was no response."""


class NotAuthorised(ServerError):
    """The server requires a token, or does not know this one."""


class Forbidden(ServerError):
    """This account has no permission to do this."""


class NotFound(ServerError):
    """There is no such record, or this account may not see it."""


class Refused(ServerError):
    """The server refused the request; `messages` maps fields to what it says about them."""


class Unavailable(ServerError):
    """The server cannot answer now."""


class Paused(Unavailable):
    """The server had asked for a pause, so a write that must follow a read at once was not sent."""

    def __init__(self) -> None:
        super().__init__("The server asked for a pause.", status=429, sent=False)


class NotTheApi(ServerError):
    """The response is not from the API."""


def one_record(answer: Mapping[str, Any], *keys: str) -> Fields:
    """The record in a response: under a known key, else under the only key that has an object.

    Raises:
        NotTheApi: there is no record.
    """
    found = [answer[key] for key in keys if isinstance(answer.get(key), dict)]
    if not found:
        others = [value for key, value in answer.items() if key not in ("meta", "links")]
        found = [value for value in others if isinstance(value, dict)]
    if len(found) == 1 and is_id(_id_of(found[0])):
        return {**found[0], "id": _id_of(found[0])}
    raise NotTheApi(
        f"The server's response has no {keys[0]!r} with an id.", f"It has {key_names(answer)}."
    )


def checked_record(fields: Value, model: Model) -> Fields:
    """A record of a response, if it has an id and its fields have the documented types.

    Raises:
        NotTheApi: it has not.
    """
    if isinstance(fields, dict) and model.integer_ids:
        fields = {**fields, "id": _id_of(fields)}
    if not isinstance(fields, dict) or not is_id(fields.get("id")):
        raise NotTheApi(
            f"The server lists a {model.words} without an id.", f"It is {fields!r:.80}."
        )
    known = model.fields
    for name, value in fields.items():
        row = known.get(name)
        if row is not None and not fits(row, value):
            raise NotTheApi(
                f"The {name} of the server's {model.words} {fields['id']} "
                "does not have the documented type.",
                f"It is {value!r:.80}.",
            )
    return fields


class CheckedRows(list[Fields]):
    """The records of a list that was checked while it was read, and `texts`, the same as JSON."""

    texts: Sequence[bytes] = ()


def _id_of(fields: Fields) -> Value:
    """The id of a record; a number as text, since ids are compared and kept as text."""
    id_ = fields.get("id")
    return str(id_) if type(id_) is int else id_


def key_names(answer: Mapping[str, Any]) -> str:
    """The first keys of a response."""
    names = [repr(key)[:40] for key in answer]
    if len(names) > 8:
        names = [*names[:8], "..."]
    return ", ".join(names) or "nothing"


class Response(Struct, frozen=True):
    """A complete response, with its body decoded, and its headers by their names in lower case."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes


def json_object(response: Response) -> dict[str, Any]:
    """The JSON object of a response that has one.

    Raises:
        NotTheApi: it has none.
    """
    status = response.status_code
    try:
        answer = read_json(response.content.decode("utf-8-sig"))
    except HalfCharacter as error:
        # The whole answer is refused, by `pull` too. A database in UTF-8 cannot hold half a
        # character, so something on the way has changed the answer, and what else it changed is
        # not known. Without this record, the others would seem to be all that there are: it would
        # look deleted, and its name free. With it, state, journal and plan could not be written.
        what = "The server's response holds half a character, which no file can hold."
        raise NotTheApi(what, _record_of(error), status=status) from error
    except ValueError as error:
        what = "The server's response is truncated, or not JSON."
        raise NotTheApi(what, _because(error), status=status) from error
    if not isinstance(answer, dict):
        what = "The server's response is not a JSON object."
        raise NotTheApi(what, f"It is {answer!r:.80}.", status=status)
    return answer


Parse = Callable[[Response], dict[str, Any]]


def read_response(
    response: Response, method: str, base: str, url: str = "", parse: Parse = json_object
) -> dict[str, Any]:
    """The JSON object of a response, or the ServerError that it means. `url` is for messages.

    Raises:
        ServerError: one of its subclasses.
    """
    status = response.status_code
    if 300 <= status < 400:
        target = response.headers.get("location", "another address")
        raise NotTheApi(
            f"The server answered {status} and redirects to {target[:200]}.",
            "stemctl never follows redirects. Check the url in stemctl.yaml.",
            status=status,
        )
    if status >= 400:
        raise failure(response, method, base, url)
    if status not in _SUCCESS:
        raise NotTheApi(
            f"The server answered {status}, a status that the API does not use.", status=status
        )
    if status == 204 or not response.content.strip():
        return {}
    if _is_html(response):
        raise NotTheApi(
            f"{base} answered with an HTML page{_title(_text(response))} instead of data.",
            "If it is a login page, the url or the token is wrong.",
            [_DOCTOR],
            status=status,
        )
    return parse(response)


def _is_html(response: Response) -> bool:
    content_type = response.headers.get("content-type", "")
    return "html" in content_type or response.content.lstrip()[:1] == b"<"


def failure(response: Response, method: str, base: str, url: str = "") -> ServerError:
    """The error of a response of 400 and above, with the server's own words in one line."""
    status = response.status_code
    messages = error_messages(response)
    if _is_foreign(response, method):
        return _foreign(messages, status, url or base)
    host = urlsplit(base).hostname or base
    kind, what, hints = _KINDS.get(status, (Refused if status < 500 else Unavailable, "", ()))
    what = (what or "The server answered {status}.").format(status=status, host=host, method=method)
    said = "; ".join(
        f"{name}: {' '.join(texts)}" if name else " ".join(texts)
        for name, texts in messages.items()
    )
    why = f"The server says: {said}" if said else ""
    return kind(what, why, hints, status=status, messages=messages)


def _foreign(messages: Mapping[str, Sequence[str]], status: int, url: str) -> NotTheApi:
    """The error of a response that does not come from the API."""
    said = "; ".join(text for texts in messages.values() for text in texts)
    open_question = "the request was carried out"
    if status == 404:
        open_question = "the record exists"
    return NotTheApi(
        f"{url} answered {status}, but not in the format of the API.",
        f"The answer was: {said or 'empty'}. It may come from a proxy, or the URL may be wrong. "
        f"It does not show whether {open_question}.",
        (_DOCTOR,),
        status=status,
    )


_SUCCESS = (200, 201, 204)
"""The statuses of completed requests. 202 does not promise that the request is carried out."""

_LOGIN: Hint = ("stemctl login", "gets a new token in your browser")
_DOCTOR: Hint = ("stemctl doctor", "checks the server, the token and your permissions")
_KINDS: dict[int, tuple[type[ServerError], str, tuple[Hint, ...]]] = {
    400: (Refused, "The server refused the request (400).", ()),
    401: (
        NotAuthorised,
        "{host} does not accept the token, or none was sent (401).",
        (_LOGIN, _DOCTOR),
    ),
    403: (Forbidden, "Your account has no permission to do this on {host} (403).", (_DOCTOR,)),
    404: (NotFound, "{host} has no such record or URL, or hides it from you (404).", ()),
    429: (Unavailable, "{host} still asked for a pause after three attempts (429).", ()),
    503: (Unavailable, "{host} is not available at the moment (503).", ()),
}


def _is_of_the_api(response: Response) -> bool:
    """Whether an error has the form of the API, `{"detail": text}`: those of proxies have not."""
    try:
        body = read_json(_text(response))
    except ValueError:
        return False
    if not isinstance(body, dict) or not set(body) <= {"detail", "error"}:
        return False
    return isinstance(body.get("detail"), str)


def _is_foreign(response: Response, method: str) -> bool:
    """Whether an error does not come from the API, so that it proves nothing."""
    status = response.status_code
    if status == 404:
        return not _is_of_the_api(response)
    if method == "GET" or status >= 500 or status in (407, 429):
        return False
    try:
        return not isinstance(read_json(_text(response)), dict | list)
    except ValueError:
        return True


def error_messages(response: Response) -> dict[str, list[str]]:
    """Field to messages, whatever the shape of the body. Other messages are under `""`.

    Known shapes: an object of field to messages (also nested), an object with `detail`, a list of
    messages, HTML, and plain text.
    """
    try:
        body = read_json(_text(response))
    except ValueError:
        text = _text(response).strip()
        if "<" in text[:200]:
            return {"": [_title(text).strip(" ()") or "an HTML page"]}
        return {"": [text[:200]]} if text else {}
    found = list(_flat("", body).items())[:_MAX_MESSAGES]
    return {
        name[:_MAX_MESSAGE]: [text[:_MAX_MESSAGE] for text in texts[:_MAX_MESSAGES]]
        for name, texts in found
    }


def _text(response: Response) -> str:
    """The body as text, whatever its headers and bytes."""
    return response.content.decode("utf-8-sig", "replace")


def _because(error: ValueError) -> str:
    """What is wrong with a text, without showing it."""
    return "It is not valid UTF-8." if isinstance(error, UnicodeError) else f"{error}."


def _record_of(error: HalfCharacter) -> str:
    """In which field of which record it is."""
    records = [n for n, one in enumerate(error.around) if isinstance(one, dict) and "id" in one]
    if not records:
        return f"It is in `{'.'.join(map(str, error.path))}`."
    record = error.around[records[-1]]
    name = f"`{record['name']}`, " if isinstance(record.get("name"), str) else ""
    field = ".".join(map(str, error.path[records[-1] :]))
    return f"It is in `{field}` of the record {name}id {record['id']}. Correct it in the browser."


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
        flat: dict[str, list[str]] = {}
        for position, item in enumerate(body):
            flat.update(_flat(f"{name}[{position}]", item))
        return flat
    return {name: [str(body)]} if body not in (None, "") else {}


def _title(text: str) -> str:
    found = re.search(
        r"<title[^>]*>(.*?)</title>", text[:_MAX_SEARCHED], re.IGNORECASE | re.ASCII | re.DOTALL
    )
    return f" ({' '.join(found[1].split())[:60]})" if found and found[1].strip() else ""


def unreachable(error: NoResponse, base: str, sent: bool) -> Unreachable:
    """The error of a failure below HTTP."""
    if isinstance(error, ProxyFailed | ProxyRefused):
        nothing = Untouched.NOTHING_SENT
        return Unreachable(error.what, error.why, error.hints, sent=False, untouched=nothing)
    what = f"{base} cannot be reached."
    if isinstance(error, TimedOut):
        what = f"{base} did not answer in time."
    certificate = refused_certificate(error)
    if certificate is not None:
        what = f"The certificate of {base} is not trusted."
        return Unreachable(
            what,
            f"{certificate.verify_message}. {remedy(certificate)}",
            [_DOCTOR],
            sent=False,
            untouched=Untouched.NOTHING_SENT,
        )
    why = f"{error}. Check the address and your network connection."
    return Unreachable(what, why, [_DOCTOR], sent=sent)
