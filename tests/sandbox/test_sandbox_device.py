"""The device login, from both ends."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace
from typing import Any

import pytest
from sandbox_api import Api

from stemctl.sandbox import device

PAGE = "/account/authorize/"


@pytest.fixture
def nobody(api: Api) -> Api:
    return api.by(None)


def start(api: Api) -> dict[str, Any]:
    answer = api("POST", "/api/auth/device/", {"client_name": "test"})
    assert answer.status_code == 200
    return answer.json()


def poll(api: Api, code: Any) -> dict[str, Any]:
    answer = api("POST", "/api/auth/device/token/", {"device_code": code})
    assert answer.status_code == 200
    return answer.json()


def test_a_login_from_beginning_to_end(nobody: Api) -> None:
    login = start(nobody)
    assert re.fullmatch(r"[A-Z]{4}-\d{4}", login["user_code"])
    assert (login["interval"], login["expires_in"]) == (1, 900)
    assert login["verification_uri"] == f"http://sandbox{PAGE}"
    assert login["verification_uri_complete"] == f"http://sandbox{PAGE}?code={login['user_code']}"
    assert login["session_id"]
    assert poll(nobody, login["device_code"]) == {"status": "authorization_pending"}

    page = nobody("GET", login["verification_uri_complete"])
    assert page.headers["content-type"].startswith("text/html")
    assert f'value="{login["user_code"]}"' in page.text
    approved = nobody(
        "POST", PAGE, data={"code": login["user_code"].lower(), "decision": "approve"}
    )
    assert (approved.status_code, "Approved" in approved.text) == (200, True)

    answer = poll(nobody, login["device_code"])
    assert answer.keys() == {"status", "token"}
    assert answer["status"] == "success"
    assert poll(nobody, login["device_code"]) == {"error": "already_used"}

    headers = {"Authorization": f"Bearer {answer['token']}"}
    created = nobody("POST", "stem/session/", {}, headers=headers)
    assert created.status_code == 400  # and not 401 or 403
    assert nobody("GET", "/api/super/stem/session/", headers=headers).status_code == 403
    (lab, open_) = nobody("GET", "stem/project/", headers=headers).json()["projects"]
    assert (lab["name"], open_["name"]) == ("Lab", "Open")


def test_the_address_with_the_code_is_approved_by_its_button(nobody: Api) -> None:
    login = start(nobody)
    assert nobody("POST", login["verification_uri_complete"]).status_code == 200
    assert poll(nobody, login["device_code"])["status"] == "success"


def test_a_login_may_be_denied(nobody: Api) -> None:
    login = start(nobody)
    assert (
        "Denied" in nobody("POST", PAGE, data={"code": login["user_code"], "decision": "deny"}).text
    )
    assert poll(nobody, login["device_code"]) == {"error": "access_denied"}
    assert nobody("POST", PAGE, data={"code": login["user_code"]}).status_code == 400


def test_each_login_has_its_own_token(nobody: Api) -> None:
    tokens = set()
    for login in (start(nobody), start(nobody)):
        nobody("POST", PAGE, data={"code": login["user_code"]})
        tokens.add(poll(nobody, login["device_code"])["token"])
    assert len(tokens) == 2


def test_a_login_expires(nobody: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    pending, approved = start(nobody), start(nobody)
    nobody("POST", PAGE, data={"code": approved["user_code"]})
    now = time.time()
    monkeypatch.setattr(device, "time", SimpleNamespace(time=lambda: now + device.WINDOW - 5))
    assert poll(nobody, pending["device_code"]) == {"status": "authorization_pending"}
    monkeypatch.setattr(device, "time", SimpleNamespace(time=lambda: now + device.WINDOW + 5))
    assert (
        poll(nobody, pending["device_code"])
        == poll(nobody, approved["device_code"])
        == {"error": "expired_token"}
    )
    assert nobody("POST", PAGE, data={"code": pending["user_code"]}).status_code == 400


@pytest.mark.parametrize("code", ["unknown", None, 7, ["x"]])
def test_an_unknown_device_is_told_apart_by_nothing(nobody: Api, code: Any) -> None:
    assert poll(nobody, code) == {"error": "expired_token"}


@pytest.mark.parametrize("code", ["", "WXYZ-1234", '"><script>alert(1)</script>'])
def test_an_unknown_code_is_not_approved(nobody: Api, code: str) -> None:
    answer = nobody("POST", PAGE, data={"code": code})
    assert answer.status_code == 400
    assert "<script>" not in answer.text
    assert "<script>" not in nobody("GET", PAGE, params={"code": code}).text


def test_methods(nobody: Api) -> None:
    assert nobody("GET", "/api/auth/device/").status_code == 405
    assert nobody("GET", "/api/auth/device/token").status_code == 405
    assert nobody("PUT", PAGE).status_code == 405
    assert nobody("POST", "/api/auth/device").status_code == 200
    assert nobody("GET", "/account/authorize").status_code == 200
    assert nobody("POST", "/api/auth/device/token/", content=b"[]").status_code == 400
