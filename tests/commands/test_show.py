"""show: a record, and what to type next where files and server differ."""

from __future__ import annotations

from tests.support.lab import Lab


def test_what_to_type_next_about_a_record(lab: Lab) -> None:
    lab.sessions("{name: a, description: One.}", "{name: b c, description: Two.}")
    new = lab.run("show", "session/b c")
    assert "plan 'session/b c'    shows what apply would create" in new.out
    lab.apply()
    assert "Next" not in lab.run("show", "session/a").said

    live = lab.live("session", "a")
    lab.api("PATCH", f"stem/session/{live['id']}/", {"description": "Other."})
    changed = lab.run("show", "session/a").out
    assert "server: Other." in changed
    assert "plan session/a    shows what apply would do about it" in changed
    assert "pull session/a    writes to your files what changed on the server" in changed

    lab.api("DELETE", f"stem/session/{live['id']}/")
    gone = lab.run("show", "session/a").out
    assert f"{live['id']}, deleted or hidden from your account" in gone
    assert "rm --keep-on-server session/a    takes it out of your files" in gone

    lab.sessions("{name: a, description: One.}")
    left = lab.run("show", "session/b c").out
    assert "plan 'session/b c'    shows what apply would do about it" in left
    assert "pull" not in left.partition("Next")[2]


def test_an_id_that_the_file_names_is_not_said_to_be_new(lab: Lab) -> None:
    id_ = "00000000-0000-4000-8000-000000000001"
    lab.sessions(f"{{name: s1, id: {id_}}}")
    shown = lab.run("show", "session/s1").out
    assert f"{id_}, deleted or hidden from your account" in shown
    assert "would create" not in shown
