"""Which proxy the requests to a server use, and what failures of a proxy mean.

httpx would read the variables itself, and send a token for this machine to a proxy in clear text.
So it is told which proxy to use. This machine is always reached directly, and only it may be
reached by plain http. Requests by https use `https_proxy`, else `all_proxy`, unless `no_proxy` has
the host. As in curl, the lower-case variables win.
"""

from __future__ import annotations

import base64
import importlib.util
import ipaddress
import re
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import quote, unquote, urlsplit

from msgspec import Struct

from stemctl.client.certificates import causes, certificates
from stemctl.client.connections import Connections
from stemctl.client.direct import Direct
from stemctl.client.failures import (
    ConnectError,
    ConnectTimeout,
    NoResponse,
    ProxyError,
    ProxyFailed,
    ProxyRefused,
)
from stemctl.client.http_types import Incoming, Request, Transport
from stemctl.errors import ConfigError, Hint, Untouched
from stemctl.util.late_pattern import late_pattern
from stemctl.util.redact import remember

VARIABLES = ("https_proxy", "all_proxy")
_EXCEPT = "no_proxy"
_TUNNELS = ("http", "https")
_SOCKS = ("socks5", "socks5h")
_PLACE = late_pattern(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_STATUS = late_pattern(r"[0-9]{3}(?![0-9])")


class Proxy(Struct, frozen=True):
    """A proxy, and the variable that names it. `shown` is its address without the password."""

    variable: str
    shown: str
    address: str
    has_password: bool

    def __repr__(self) -> str:
        # Without the address, which may have a password in it.
        return f"Proxy(variable={self.variable!r}, shown={self.shown!r})"

    def explained(self, error: NoResponse, host: str) -> NoResponse:
        """The failure of a request to a host through this proxy, in words that name the proxy."""
        origin = f"The proxy is set in {self.variable}."
        around: Hint = (f"export NO_PROXY={host}", f"connects to {host} without the proxy")
        if isinstance(error, ProxyError):
            return self._refused(str(error), host, origin, around)
        is_tls = any(isinstance(cause, ssl.SSLError) for cause in causes(error))
        if isinstance(error, ConnectError) and is_tls:
            own = (
                "If the proxy inspects TLS, set SSL_CERT_FILE or REQUESTS_CA_BUNDLE to a file with "
                "its certificate."
            )
            what = f"The connection to {host} through the proxy {self.shown} is not trusted."
            return ProxyFailed(what, f"{error}. {own}\n{origin}", [around])
        if isinstance(error, ConnectError | ConnectTimeout):
            what = f"The proxy {self.shown} cannot be reached."
            return ProxyFailed(what, f"{error}. {origin}", [around])
        return type(error)(f"{error}, through the proxy {self.shown} of {self.variable}")

    def _refused(self, reason: str, host: str, origin: str, around: Hint) -> NoResponse:
        found = _STATUS.match(reason)
        status = int(found[0]) if found else 0
        if status == 407:
            return self._needs_login(origin, around)
        what = f"The proxy {self.shown} cannot reach {host}: {reason}."
        if status >= 500:
            return ProxyFailed(what, origin, [around])
        return ProxyRefused(what, origin, [around])

    def _needs_login(self, origin: str, around: Hint) -> ProxyRefused:
        scheme, _, place = self.shown.partition("://")
        what = f"The proxy {self.shown} requires a user name (407)."
        if self.has_password:
            what = f"The proxy {self.shown} does not accept this user name and password (407)."
        with_name: Hint = (
            f"export {self.variable.upper()}={scheme}://USER:PASSWORD@{place}",
            "sets your user name and password; write %40 for @",
        )
        return ProxyRefused(what, origin, [with_name, around])


class _Through:
    """A connection through a proxy, whose failures name the proxy."""

    def __init__(self, inner: Transport, proxy: Proxy, host: str) -> None:
        self._inner, self._proxy, self._host = inner, proxy, host

    async def send(self, request: Request) -> Incoming:
        """Send a request, and read the head of its response."""
        try:
            return await self._inner.send(request)
        except NoResponse as error:
            raise self._proxy.explained(error, self._host) from error

    async def aclose(self) -> None:
        """Close the connection."""
        await self._inner.aclose()


def transport(url: str, environ: Mapping[str, str]) -> Transport:
    """The transport of requests to a server.

    Raises:
        ConfigError: the environment names a proxy or certificates that cannot be used.
    """
    if urlsplit(url).scheme != "https":  # this machine, without TLS and without a proxy
        return Connections(lambda: Direct(url, None))
    proxy, host = find_proxy(url, environ), urlsplit(url).hostname or ""
    trusted = certificates(environ)
    if proxy is None:
        return Connections(lambda: Direct(url, trusted))
    from stemctl.client.over_httpx import through  # most servers need no proxy

    address = proxy.address
    return Connections(lambda: _Through(through(address, url, trusted), proxy, host))


def find_proxy(url: str, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy for requests to a URL; None if they are sent directly.

    Raises:
        ConfigError: the variable does not name a usable proxy.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "https" or is_this_machine(host):
        return None
    for name in VARIABLES:
        variable, text = _read(environ, name)
        if text:
            exceptions = _read(environ, _EXCEPT)[1]
            is_excepted = _is_excepted(host, parts.port or 443, exceptions)
            return None if is_excepted else _proxy(variable, text)
    return None


def is_this_machine(host: str) -> bool:
    """Whether a host is this machine, in any spelling that a resolver accepts."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    if address is None:
        try:
            address = ipaddress.IPv4Address(socket.inet_aton(host))  # 127.1, 2130706433, 0x7f000001
        except (OSError, ValueError):
            return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def _read(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """The name and value of a variable: in lower case if it exists, else in upper case."""
    variable = name if name in environ else name.upper()
    return variable, environ.get(variable, "").strip()


def _is_excepted(host: str, port: int, exceptions: str) -> bool:
    """Whether `no_proxy` has a host: by name, domain, port, address or network, or as `*`."""
    entries = re.split(r"[,\s]+", exceptions.lower())
    return any(_names(entry, host, port) for entry in entries if entry)


def _names(entry: str, host: str, port: int) -> bool:
    entry = entry.rpartition("://")[2].rstrip("/")
    if entry == "*":
        return True
    address = _address(host)
    if "/" in entry:
        try:
            return address is not None and address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    name, named_port = _split_port(entry)
    if named_port and named_port != str(port):
        return False
    if address is not None:
        return _address(name) == address
    name = name.removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _split_port(entry: str) -> tuple[str, str]:
    """Host and port of an entry. An IPv6 address has colons itself, and may be in brackets."""
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, rest.removeprefix(":")
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _proxy(variable: str, text: str) -> Proxy:
    """The proxy that a variable names.

    Raises:
        ConfigError: it does not name a proxy, or one of a kind that cannot be used.
    """
    full = text if "://" in text else f"http://{text}"
    scheme, _, rest = full.partition("://")
    user, at, place = rest.rpartition("@")
    scheme, place = scheme.lower(), place.partition("/")[0]
    name, colon, password = user.partition(":")
    login = base64.b64encode(f"{unquote(name)}:{unquote(password)}".encode(errors="replace"))
    for secret in (password, unquote(password), login.decode()):  # the last is what is sent
        remember(secret)
    shown = f"{scheme}://{place}"
    _check_scheme(variable, scheme, shown)
    if scheme in _SOCKS:
        scheme = "socks5"  # older versions of httpx do not know socks5h, which is the same
    address = _usable_address(scheme, name, f"{colon}{password}", f"{at}{place}")
    if address is None:
        raise ConfigError(
            f"{variable} is not the address of a proxy: {shown:.200}",
            "Write http://HOST:PORT.",
            [(f"unset {variable}", "uses no proxy")],
            untouched=Untouched.NOTHING_SENT,
        )
    return Proxy(variable, shown, address, bool(at))


def _check_scheme(variable: str, scheme: str, shown: str) -> None:
    """Raises ConfigError if a proxy of this scheme cannot be used."""
    if scheme not in (*_TUNNELS, *_SOCKS):
        supported = ", ".join(f"{known}://" for known in (*_TUNNELS, "socks5"))
        raise ConfigError(
            f"{variable} names a proxy of an unsupported kind: {shown:.200}",
            f"stemctl supports {supported}.",
            untouched=Untouched.NOTHING_SENT,
        )
    if scheme in _SOCKS and importlib.util.find_spec("socksio") is None:
        raise ConfigError(
            f"{variable} names the SOCKS proxy {shown:.200}, but socksio is not installed.",
            hints=[("pip install socksio", "installs the package for SOCKS proxies")],
            untouched=Untouched.NOTHING_SENT,
        )


def _usable_address(scheme: str, name: str, password: str, place: str) -> str | None:
    """The address as httpx takes it; None if it is not one, or not in UTF-8.

    `password` begins with its colon and `place` with its @, if there are any. As in curl,
    everything before the last @ is the user, whatever its characters.
    """
    from stemctl.client.over_httpx import is_proxy  # most servers need no proxy

    try:
        login = quote(unquote(name)) + password[:1] + quote(unquote(password[1:]), safe="")
        address = f"{scheme}://{login}{place}"
        if not _PLACE.fullmatch(place.removeprefix("@")) or urlsplit(address).port == 0:
            return None
        return address if is_proxy(address) else None
    except ValueError:
        return None
