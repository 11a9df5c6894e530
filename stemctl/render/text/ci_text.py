"""What is left to set up on GitHub or GitLab after the workflows are written."""

from __future__ import annotations


def advice(
    forge: str,
    shared: bool,
    branch: str,
    environment: str,
    folder: str,
    *,
    source: str,
    pull: bool = False,
) -> list[str]:
    """The settings that no file can make, in the order in which to make them.

    Args:
        forge: `github` or `gitlab`.
        shared: whether jobs share the state already.
        branch: the branch that is applied.
        environment: its environment on the forge.
        folder: where the metadata is, below the root of the repository.
        source: what the jobs install.
        pull: whether a nightly pull is among the workflows.
    """
    text = "" if shared else _STATE
    text += _GITHUB if forge == "github" else _GITLAB
    if pull:
        text += _GITHUB_PULL if forge == "github" else _GITLAB_PULL
    # A space ends a path in CODEOWNERS, and a backslash makes it a part of the path.
    owned = folder.replace(" ", "\\ ")
    words = {"@BRANCH@": branch, "@ENVIRONMENT@": environment, "@FOLDER@": owned}
    for word, value in words.items():
        text = text.replace(word, value)
    return ["", f"The jobs install {source}.", "", "Left to do:", *text.splitlines()]


_STATE = """\
  stemctl.yaml       state: {backend: git}  for @ENVIRONMENT@, so that jobs share the state;
                     if you have applied before, also: stemctl state migrate --to git
"""

_GITHUB = """\
  Settings, Secrets  BRAINSTEM_READ_TOKEN, of an account that can only read
  Environments       @ENVIRONMENT@: required reviewers, deployment from @BRANCH@ only, and the
                     secret BRAINSTEM_TOKEN, of an account that can write (private repositories:
                     reviewers need GitHub Enterprise, environments at least Pro or Team)
  Rules              for @BRANCH@: require pull requests, review by code owners, and the check
                     validate; none for the branch of the state, to which the apply job pushes
  .github/CODEOWNERS who may decide where tokens are sent:
                       /@FOLDER@stemctl.yaml  @lab/admins
                       /.github/  @lab/admins
"""

_GITLAB = """\
  .gitlab-ci.yml     include: [{local: .gitlab/stemctl.yml}]
  CI/CD variables    each masked, and scoped to the environment behind its name:
                     BRAINSTEM_READ_TOKEN  stemctl/read   an account that can only read
                     BRAINSTEM_TOKEN       @ENVIRONMENT@, protected: an account that can write
                     STEMCTL_PUSH_TOKEN    @ENVIRONMENT@, protected: Developer, write_repository
                     STEMCTL_GITLAB_TOKEN  stemctl/notes  Reporter, api
                     (the last two are project access tokens)
  Repository         protect @BRANCH@; only the bot of STEMCTL_PUSH_TOKEN may push to the branch of
                     the state
  Environments       protect @ENVIRONMENT@, with approval (if your edition of GitLab has it)
  Schedules          a nightly pipeline on @BRANCH@
  CODEOWNERS         give /@FOLDER@stemctl.yaml, /.gitlab-ci.yml and /.gitlab/ to the people who may
                     decide where tokens are sent
"""

_GITHUB_PULL = """\
  Actions            allow GitHub Actions to create pull requests; to have one of these checked,
                     close it and open it again
"""

_GITLAB_PULL = """\
  pull               include .gitlab/stemctl-pull.yml as well; BRAINSTEM_READ_TOKEN and
                     STEMCTL_PUSH_TOKEN once more, for the environment stemctl/pull
"""
