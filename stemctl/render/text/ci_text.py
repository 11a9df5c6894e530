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
    return ["", f"The jobs install {source}", "Left to do:", *text.splitlines()]


_STATE = """\
  stemctl.yaml       add  state: {backend: git}  to the server @ENVIRONMENT@, so that jobs share
                     the state. If you have applied before, then run: stemctl state migrate --to git
"""

_GITHUB = """\
  secret             BRAINSTEM_READ_TOKEN, of an account that can only read
                     (Settings, Secrets, Actions)
  environment        @ENVIRONMENT@, with required reviewers and deployment from @BRANCH@ only;
                     in it the secret BRAINSTEM_TOKEN, of an account that can write
                     (Settings, Environments)
  branch rule        for @BRANCH@: require pull requests with review, review from code owners, and
                     the check validate (Settings, Rules). Make no rule for the branch of the
                     state: the apply job pushes to it
  .github/CODEOWNERS give these to the people who may decide where tokens are sent:
                       /@FOLDER@stemctl.yaml  @lab/admins
                       /.github/  @lab/admins
"""

_GITLAB = """\
  include            in .gitlab-ci.yml:  include: [{local: .gitlab/stemctl.yml}]
  variables          each masked, with the environment that it is scoped to (Settings, CI/CD):
                     BRAINSTEM_READ_TOKEN, stemctl/read: of an account that can only read
                     BRAINSTEM_TOKEN, @ENVIRONMENT@, protected: of an account that can write
                     STEMCTL_PUSH_TOKEN, @ENVIRONMENT@, protected: a project access token with the
                     role Developer and the scope write_repository, for the state
                     STEMCTL_GITLAB_TOKEN, stemctl/notes: a project access token with the role
                     Reporter and the scope api, for notes and the issue
  branches           protect @BRANCH@ (Settings, Repository). Only the bot of STEMCTL_PUSH_TOKEN may
                     push to the branch of the state
  environment        protect @ENVIRONMENT@, with approval (if your edition of GitLab has it)
  schedule           a nightly pipeline on @BRANCH@ (Build, Pipeline schedules)
  CODEOWNERS         give /@FOLDER@stemctl.yaml, /.gitlab-ci.yml and /.gitlab/ to the people who may
                     decide where tokens are sent
"""

_GITHUB_PULL = """\
  pull requests      allow GitHub Actions to create them (Settings, Actions, General). GitHub runs
                     no checks for these: close one and open it again to have it checked
"""

_GITLAB_PULL = """\
  pull               include .gitlab/stemctl-pull.yml as well; add BRAINSTEM_READ_TOKEN and
                     STEMCTL_PUSH_TOKEN once more, with the environment stemctl/pull
"""
