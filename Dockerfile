# An image for CI: stemctl and git, for any user, with nothing that has to be written.
#
#   docker build --build-arg VERSION="$(git rev-parse HEAD)" --tag stemctl .
#   docker run --rm --read-only --tmpfs /tmp --user "$(id -u):$(id -g)" --volume "$PWD:/repo" stemctl stemctl plan
#
# The base goes by its tag. To build the same image again later, give its digest:
#   --build-arg BASE=docker.io/library/python:3.11-slim@sha256:...
ARG BASE=docker.io/library/python:3.11-slim

FROM ${BASE} AS build
WORKDIR /build
COPY pyproject.toml README.md LICENSE ./
COPY .ci/index_readme.py .ci/
COPY schemas schemas
COPY stemctl stemctl
# All packages by their hashes, also those that build this one. Precompiled, because nobody can write the cache of
# compiled files later.
RUN python3 -m venv /opt/stemctl \
    && /opt/stemctl/bin/pip install --quiet --no-cache-dir --disable-pip-version-check --compile --require-hashes \
        --requirement stemctl/commands/templates/ci/stemctl.lock \
    && /opt/stemctl/bin/pip install --quiet --no-cache-dir --disable-pip-version-check --compile --no-deps \
        --no-build-isolation . \
    && /opt/stemctl/bin/pip uninstall --quiet --yes hatchling packaging pathspec pluggy tomlkit trove-classifiers \
    && /opt/stemctl/bin/pip uninstall --quiet --yes pip setuptools

FROM ${BASE}
ARG VERSION=unknown
LABEL org.opencontainers.image.title="stemctl" \
      org.opencontainers.image.description="Manage your lab's BrainSTEM metadata as code" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.revision="${VERSION}"
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    # A repository that is mounted belongs to another user than the one in here, and git would refuse it. Mount only what
    # you trust: git obeys what its .git/config says, such as core.sshCommand.
    && git config --system --add safe.directory '*'
COPY --from=build /opt/stemctl /opt/stemctl
# No home: CI runs images as users that have none. Tokens come from the environment, the cache of a shared state lies in
# /tmp, which has to be writable, and so has the repository for `apply`.
ENV PATH=/opt/stemctl/bin:$PATH \
    HOME=/tmp \
    XDG_CACHE_HOME=/tmp/.cache \
    PYTHONDONTWRITEBYTECODE=1 \
    LANG=C.UTF-8
WORKDIR /repo
USER 10001:10001
# No entry point: GitLab and GitHub start a shell in the image, and would get `stemctl sh` instead.
CMD ["stemctl", "--help"]
