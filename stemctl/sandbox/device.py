"""The device login: a program gets a code, a person approves it, the program gets a token."""

from __future__ import annotations

import html
import secrets
import time
import uuid

from stemctl.sandbox.replies import unauthenticated
from stemctl.sandbox.storage import Storage
from stemctl.sandbox.users import BY_EMAIL, USERS, User
from stemctl.util.json_types import Value

WINDOW = 900
_INTERVAL = 1
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, and so no words
_SCHEME = "bearer"
_APPROVED_AS = USERS["sandbox-user"]


def user_of(storage: Storage, authorization: str | None) -> User:
    """The user of an Authorization header.

    Raises:
        Refusal: 401, if there is no token, or no user has it.
    """
    scheme, _, token = (authorization or "").strip().partition(" ")
    if scheme.lower() != _SCHEME or not token:
        raise unauthenticated("Authentication credentials were not provided.")
    issued = storage.query("SELECT email FROM tokens WHERE token = ?", (token.strip(),))
    user = BY_EMAIL.get(issued[0][0]) if issued else USERS.get(token.strip())
    if user is None:
        raise unauthenticated("Invalid token.")
    return user


def start(storage: Storage, base_url: str) -> dict[str, Value]:
    """Begin a login; `base_url` ends with a slash."""
    device_code = secrets.token_urlsafe(32)
    letters = "".join(secrets.choice(_LETTERS) for _ in range(4))
    user_code = f"{letters}-{secrets.randbelow(10_000):04}"
    storage.query(
        "INSERT INTO logins VALUES (?, ?, ?, 'pending')",
        (device_code, user_code, time.time() + WINDOW),
    )
    page = f"{base_url}account/authorize/"
    return {
        "device_code": device_code,
        "user_code": user_code,
        "session_id": str(uuid.uuid4()),
        "verification_uri": page,
        "verification_uri_complete": f"{page}?code={user_code}",
        "interval": _INTERVAL,
        "expires_in": WINDOW,
    }


def poll(storage: Storage, device_code: Value) -> dict[str, Value]:
    """The status of a login. The token is returned once."""
    known = storage.query(
        "SELECT status, expires FROM logins WHERE device_code = ?", (str(device_code),)
    )
    status, expires = known[0] if known else ("unknown", 0.0)
    if status == "used":
        return {"error": "already_used"}
    if time.time() > expires:
        return {"error": "expired_token"}
    if status == "denied":
        return {"error": "access_denied"}
    if status == "pending":
        return {"status": "authorization_pending"}
    token = f"sandbox-{secrets.token_urlsafe(24)}"
    storage.query("INSERT INTO tokens VALUES (?, ?)", (token, _APPROVED_AS.email))
    storage.query("UPDATE logins SET status = 'used' WHERE device_code = ?", (str(device_code),))
    return {"status": "success", "token": token}


def decide(storage: Storage, user_code: str, *, approve: bool) -> bool:
    """Approve or deny the pending login with this code; False if there is none."""
    text = (
        "UPDATE logins SET status = ? WHERE user_code = ? AND status = 'pending' AND expires > ?"
        " RETURNING 1"
    )
    status = "approved" if approve else "denied"
    return bool(storage.query(text, (status, user_code.strip().upper(), time.time())))


def page(code: str, message: str = "") -> str:
    """The web page where a code is approved."""
    field = f'<input name="code" value="{html.escape(code)}" placeholder="WXYZ-1234" required>'
    buttons = "".join(
        f'<button name="decision" value="{word}">{word.title()}</button>'
        for word in ("approve", "deny")
    )
    title = "Sandbox: allow a program to act for you"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><h1>{title}</h1><p>{html.escape(message)}</p>"
        f"<form method=post><label>Code {field}</label>{buttons}</form></body></html>"
    )
