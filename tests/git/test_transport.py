"""What of git's settings reaches a remote, and which of it must not be shown."""

from __future__ import annotations

import base64
import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from stemctl.core.lease import lease_json, lease_of
from stemctl.git.process import clean
from stemctl.git.transport import configured, missing_settings, read_settings, secrets


def test_a_setting_without_a_value_is_true() -> None:
    assert read_settings(b"http.sslverify\0url.a.insteadof\n\0core.sshcommand\nssh\n-v\0") == [
        ("http.sslverify", "true"),
        ("url.a.insteadof", ""),
        ("core.sshcommand", "ssh\n-v"),
    ]
    assert read_settings(b"") == []


def test_what_holds_by_itself_is_not_given_twice() -> None:
    everywhere = [("credential.helper", "store")]
    theirs = [
        *everywhere,
        ("credential.helper", ""),
        ("credential.helper", "store"),
        ("core.editor", "vi"),
    ]
    assert missing_settings(theirs, everywhere, "origin") == [
        ("credential.helper", ""),
        ("credential.helper", "store"),
    ]


def test_only_how_this_remote_is_reached() -> None:
    theirs = [
        ("remote.origin.url", "a"),
        ("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"),
        ("remote.origin.mirror", "true"),
        ("remote.other.url", "b"),
        ("core.sshCommand", "ssh"),
        ("branch.main.remote", "origin"),
    ]
    assert [key for key, _ in missing_settings(theirs, [], "origin")] == [
        "remote.origin.url",
        "core.sshCommand",
    ]


def test_no_setting_of_a_caller_remains_beside_ours() -> None:
    callers = {
        "GIT_CONFIG_COUNT": "9",
        "GIT_CONFIG_KEY_8": "x.y",
        "GIT_CONFIG_PARAMETERS": "'x.y'='z'",
    }
    environ = configured({**callers, "HOME": "/"}, [("a.b", "c")])
    assert (
        "GIT_CONFIG_PARAMETERS" not in environ
    )  # what it says was read, and stands among the settings
    assert environ["GIT_CONFIG_KEY_0"] == "a.b"
    assert environ["HOME"] == "/"
    assert "x.y" not in environ.values()
    assert int(environ["GIT_CONFIG_COUNT"]) == sum(
        name.startswith("GIT_CONFIG_KEY_") for name in environ
    )


BASIC = base64.b64encode(b"user:password1").decode()
TOKEN = "ghp_0123456789abcdefghij"


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        (
            "http.https://forge.example/.extraheader",
            f"AUTHORIZATION: basic {BASIC}",
            {BASIC, "password1"},
        ),
        ("http.extraheader", f"Authorization: Bearer {TOKEN}", {TOKEN}),
        ("remote.origin.url", "https://user:pass%2Fword@forge.example/x", {"pass/word"}),
        (
            "url.https://user:password1@forge.example/.insteadof",
            "git@forge.example:",
            {BASIC, "password1"},
        ),
        ("remote.origin.url", f"https://{TOKEN}@forge.example/x", {TOKEN}),
    ],
)
def test_credentials_are_known(key: str, value: str, found: set[str]) -> None:
    assert found <= set(secrets([(key, value)]))


@pytest.mark.parametrize(
    "url",
    [
        "ssh://git@forge.example/x",
        "git@forge.example:x",
        "https://mara.lindqvist%40lab.example@forge.example/x",
    ],
)
def test_a_name_is_no_secret(url: str) -> None:
    assert not {"git", "mara.lindqvist@lab.example"} & set(secrets([("remote.origin.url", url)]))


def test_the_variables_that_reach_a_remote_stay_and_those_of_a_hook_go() -> None:
    stays = {
        "GIT_SSL_CAINFO": "a",
        "GIT_HTTP_USER_AGENT": "b",
        "GIT_SSH_COMMAND": "c",
        "GIT_CONFIG_COUNT": "0",
    }
    stays |= {"GIT_CONFIG_PARAMETERS": "'http.proxy'='x'"}
    goes = {
        "GIT_DIR": "d",
        "GIT_INDEX_FILE": "e",
        "GIT_EXTERNAL_DIFF": "f",
        "GIT_QUARANTINE_PATH": "g",
    }
    kept = clean({**stays, **goes})
    assert stays.items() <= kept.items()
    assert not goes.keys() & kept.keys()


def test_two_leases_of_the_same_in_the_same_moment_differ() -> None:
    run: Any = SimpleNamespace(
        id="r", who="a job", plan=SimpleNamespace(commit=None, actionable=list)
    )
    now = datetime.datetime.now(datetime.UTC)
    assert lease_json(lease_of(run, now)) != lease_json(lease_of(run, now))
