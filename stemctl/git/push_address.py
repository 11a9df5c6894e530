"""A remote that is read from one address and pushed to another.

Both must be the same repository: a state that is written to one and read from the other is lost.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from stemctl.errors import Hint, StateError
from stemctl.git.errors import quoted
from stemctl.git.process import Git
from stemctl.git.transport import Setting
from stemctl.util.late_pattern import late_pattern
from stemctl.util.redact import MASK, masked
from stemctl.util.safe_text import visible

_PASSWORD = late_pattern("://([^/@:]*):[^/@]*@")


class TwoAddresses(Struct):
    """The addresses of a remote; `proved` after a push to one was seen to arrive at the other."""

    remote: str
    read: str
    pushed: tuple[str, ...]
    by_pushurl: bool
    proved: bool = False

    def differ(self, branch: str) -> StateError:
        """A push was refused because the branch differs between the two. Nothing has changed."""
        return self._refusal(
            f"Its branch {branch} differs between the two. Nothing was pushed or sent."
        )

    def led_elsewhere(self, branch: str, failed: str | None) -> StateError:
        """A push succeeded and did not arrive where the remote is read.

        `failed` is what git printed if the push could not be undone.
        """
        did = f"A push to its branch {branch} did not reach the repository that it is read from."
        if failed is None:
            return self._refusal(f"{did} It was undone. Nothing was sent to the server.")
        kept = f"It could not be undone: delete {branch} there. Nothing was sent to the server."
        return self._refusal(f"{did}\n{kept}{quoted(failed)}")

    def _refusal(self, what: str) -> StateError:
        remedy: Hint = (
            "git config --show-origin --get-regexp pushinsteadof",
            "shows the setting that changes the address",
        )
        if self.by_pushurl:
            remedy = (
                f"git config --unset-all remote.{self.remote}.pushurl",
                "pushes to the repository that it is read from",
            )
        lines = [
            f"read from  {_shown(self.read)}",
            *(f"pushed to  {_shown(url)}" for url in self.pushed),
            what,
            "Or name another remote in stemctl.yaml: state: {backend: git, remote: NAME}.",
        ]
        return StateError(
            f"{self.remote} is read from one repository and pushed to another.",
            "\n".join(lines),
            [remedy],
        )


def two_addresses(user: Git, remote: str, settings: Sequence[Setting]) -> TwoAddresses | None:
    """The addresses of a remote of the user's repository; None if it has only one.

    Raises:
        GitFailure: git cannot tell.
    """
    by_pushurl = any(key == f"remote.{remote}.pushurl" for key, _ in settings)
    rewritten = any(key.lower().endswith(".pushinsteadof") for key, _ in settings)
    several = sum(key == f"remote.{remote}.url" for key, _ in settings) > 1
    if not (by_pushurl or rewritten or several):
        return None
    read = user.text("remote", "get-url", remote)
    pushed = user.text("remote", "get-url", "--push", "--all", remote).splitlines()
    if set(pushed) == {read}:
        return None
    return TwoAddresses(remote, read, tuple(pushed), by_pushurl)


def _shown(url: str) -> str:
    return visible(masked(_PASSWORD.sub(rf"://\1:{MASK}@", url)))
