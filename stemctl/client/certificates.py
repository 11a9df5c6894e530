"""Which certificates a server is checked against, and what it means if it fails."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping

from stemctl.errors import ConfigError, Untouched

VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""The first one that is set names a file, or a folder, of certificates. The last two are those of
requests, which the official client uses, and of curl.
"""

REMEDY = (
    f"If your institute has certificates of its own, set {VARIABLES[0]} or {VARIABLES[2]} to a "
    "file with them."
)
_UNKNOWN_ISSUER = {18, 19, 20, 21}
"""The codes of OpenSSL for a certificate whose issuer is not known here."""


def certificates(environ: Mapping[str, str]) -> ssl.SSLContext:
    """The certificates that a variable names, else those of certifi.

    Raises:
        ConfigError: they cannot be read.
    """
    named = next((name for name in VARIABLES if environ.get(name)), None)
    if named is None:
        import certifi  # a sandbox needs none

        return _trusting(certifi.where())
    path = environ[named]
    try:
        return _trusting(path)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The certificates in {named} cannot be read.",
            f"{path}: {getattr(error, 'strerror', None) or error}.",
            [(f"unset {named}", "uses the certificates that come with stemctl")],
            untouched=Untouched.NOTHING_SENT,
        ) from error


def _trusting(path: str) -> ssl.SSLContext:
    """What checks servers against the certificates of a file, or of a folder."""
    is_folder = os.path.isdir(path)
    trusted = ssl.create_default_context(
        cafile=None if is_folder else path, capath=path if is_folder else None
    )
    trusted.set_alpn_protocols(["http/1.1"])
    return trusted


def refused_certificate(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """The failed check of a certificate that caused an error, if that is its cause."""
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause
    return None


def remedy(error: ssl.SSLCertVerificationError) -> str:
    """What can be done about a certificate that is not trusted."""
    if error.verify_code in _UNKNOWN_ISSUER:
        return REMEDY
    return "Check the address, and the date of this machine."


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error, and the errors that it comes from."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__
