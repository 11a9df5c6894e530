"""What is left to do on a forge after its workflows are written."""

from __future__ import annotations


def advice(forge: str, shared: bool, branch: str, environment: str, folder: str) -> list[str]:
    """The settings that no file can make, in the order in which they are made; `shared` is whether
    jobs share the state already, `folder` that of the metadata below the root of the repository.
    """
    lines = ["", "Left to do:", *_FIRST]
    if not shared:
        lines += [
            f"  stemctl.yaml       {environment}: state: {{backend: git}}, so that jobs share the state; then",
            "                     stemctl state migrate --to git, if anything was applied before",
        ]
    lines += _GITHUB if forge == "github" else _GITLAB
    words = {"@BRANCH@": branch, "@ENVIRONMENT@": environment, "@FOLDER@": folder}
    for word, value in words.items():
        lines = [line.replace(word, value) for line in lines]
    return lines


_FIRST = [
    "  stemctl            is installed by name and version; if you have it from elsewhere, write that there, pinned:",
    "                     stemctl @ git+https://HOST/stemctl@COMMIT",
]


_GITHUB = [
    "  secret             BRAINSTEM_READ_TOKEN of an account that may only read (Settings, Secrets, Actions)",
    "  environment        @ENVIRONMENT@: required reviewers, deployment from @BRANCH@ alone, and in it the secret",
    "                     BRAINSTEM_TOKEN of an account that may write (Settings, Environments)",
    "  branch rule        @BRANCH@: pull requests with review, review from code owners, and the check validate",
    "                     (Settings, Rules); none for the branch of the state, which the apply job pushes to",
    "  .github/CODEOWNERS these belong to whoever may decide where tokens go:",
    "                       /@FOLDER@stemctl.yaml  @lab/admins",
    "                       /.github/  @lab/admins",
]
_GITLAB = [
    "  include            in .gitlab-ci.yml:  include: [{local: .gitlab/stemctl.yml}]",
    "  variables          each masked, with the environment that it is scoped to (Settings, CI/CD):",
    "                     BRAINSTEM_READ_TOKEN, stemctl/read: of an account that may only read",
    "                     BRAINSTEM_TOKEN, @ENVIRONMENT@, protected: of an account that may write",
    "                     STEMCTL_PUSH_TOKEN, @ENVIRONMENT@, protected: a project access token, Developer, with",
    "                     write_repository, for the state",
    "                     STEMCTL_GITLAB_TOKEN, stemctl/notes: a project access token, Reporter, with api, for notes",
    "                     and the issue",
    "  branches           @BRANCH@: protected (Settings, Repository); that of the state: none but the bot of",
    "                     STEMCTL_PUSH_TOKEN may push to it",
    "  environment        @ENVIRONMENT@: protected, with approval (where your edition of GitLab has it)",
    "  schedule           a nightly pipeline on @BRANCH@ (Build, Pipeline schedules)",
    "  CODEOWNERS         /@FOLDER@stemctl.yaml, /.gitlab-ci.yml and /.gitlab/ belong to whoever may decide where",
    "                     tokens go",
]
