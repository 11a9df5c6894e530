"""Which proxy requests to a server go through, and what its failures mean.

httpx would read the variables itself, and send a token for this machine to a proxy in clear. So it
is told what to do: this machine is reached directly, whatever the variables say; plain http is for
this machine alone; https goes through `https_proxy`, else `all_proxy`, but for the hosts in
`no_proxy`. The lower case wins, as in curl.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import re
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

import httpx

from stemctl.errors import ConfigError, Hint
from stemctl.util.redact import remember

VARIABLES = ("https_proxy", "all_proxy")
_EXCEPT = "no_proxy"
_TUNNELS = ("http", "https")
_SOCKS = ("socks5", "socks5h")
_PLACE = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_STATUS = re.compile(r"[0-9]{3}(?![0-9])")


class _Explained(httpx.TransportError):
    """A failure that says what happened, why, and what to type."""

    def __init__(self, what: str, why: str, hints: Sequence[Hint]) -> None:
        super().__init__(what)
        self.what, self.why, self.hints = what, why, hints


class ProxyFailed(_Explained, httpx.ConnectError):
    """A proxy cannot be reached, or does not reach the server: no connection was made."""


class ProxyRefused(_Explained, httpx.ProxyError):
    """A proxy does not let us through. It would not the next time either, and may count the tries."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and the variable that names it. What is `shown` of its address has no password in it."""

    variable: str
    shown: str
    address: str = field(repr=False)
    has_password: bool

    def explained(self, error: httpx.TransportError, host: str) -> httpx.TransportError:
        """The failure of a request to a host through this proxy, in words that name it."""
        there = f"{self.variable} names this proxy. Nothing was sent."
        around: Hint = (f"export NO_PROXY={host}", f"if {host} is reached without a proxy")
        if isinstance(error, httpx.ProxyError):
            return self._refused(str(error), host, there, around)
        said = str(error).strip() or type(error).__name__
        if isinstance(error, httpx.ConnectError) and any(
            isinstance(e, ssl.SSLError) for e in _causes(error)
        ):
            own = "If the proxy looks into TLS, set SSL_CERT_FILE to a file with its certificate."
            return ProxyFailed(
                f"There is no trusted connection to {host} through the proxy {self.shown}.",
                f"{said}. {own}\n{there}",
                [around],
            )
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return ProxyFailed(
                f"The proxy {self.shown} cannot be reached.", f"{said}. {there}", [around]
            )
        return type(error)(f"{said}, through the proxy {self.shown} of {self.variable}")

    def _refused(self, said: str, host: str, there: str, around: Hint) -> httpx.TransportError:
        found = _STATUS.match(said)
        status = int(found[0]) if found else 0
        if status == 407:
            scheme, _, place = self.shown.partition("://")
            wants = (
                "does not accept this user name and password"
                if self.has_password
                else "wants a user name"
            )
            with_name: Hint = (
                f"export {self.variable.upper()}={scheme}://USER:PASSWORD@{place}",
                "with yours; %40 stands for @",
            )
            return ProxyRefused(
                f"The proxy {self.shown} {wants} (407).", there, [with_name, around]
            )
        what = f"The proxy {self.shown} does not reach {host}: {said or 'no reason given'}."
        if status >= 500:
            return ProxyFailed(what, there, [around])
        return ProxyRefused(what, there, [around])


class _Through(httpx.AsyncHTTPTransport):
    """Requests through a proxy."""

    def __init__(self, proxy: Proxy, host: str, limits: httpx.Limits) -> None:
        super().__init__(proxy=proxy.address, limits=limits)
        self._proxy, self._host = proxy, host

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer; a failure names the proxy."""
        try:
            return await super().handle_async_request(request)
        except httpx.TransportError as error:
            raise self._proxy.explained(error, self._host) from error


def transport(
    url: str, environ: Mapping[str, str], limits: httpx.Limits
) -> httpx.AsyncBaseTransport:
    """How requests to a server travel.

    Raises:
        ConfigError: the environment names a proxy, or certificates, that cannot be used.
    """
    proxy, host = find_proxy(url, environ), urlsplit(url).hostname or ""
    try:
        return _Through(proxy, host, limits) if proxy else httpx.AsyncHTTPTransport(limits=limits)
    except (
        OSError,
        ValueError,
    ) as error:  # httpx reads the certificates of SSL_CERT_FILE and SSL_CERT_DIR
        named = [name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if environ.get(name)]
        if not named:
            raise
        raise ConfigError(
            f"The certificates that {' and '.join(named)} name cannot be read.",
            f"{getattr(error, 'strerror', None) or error}. Nothing was sent.",
            [(f"unset {' '.join(named)}", "uses those that come with stemctl")],
        ) from error


def find_proxy(url: str, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy that requests to a URL go through; None if they go directly.

    Raises:
        ConfigError: the variable that names it has something else in it.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "https" or is_this_machine(host):
        return None
    for name in VARIABLES:
        variable, text = _read(environ, name)
        if text:
            return (
                None
                if _is_excepted(host, parts.port or 443, _read(environ, _EXCEPT)[1])
                else _proxy(variable, text)
            )
    return None


def is_this_machine(host: str) -> bool:
    """Whether a host is this machine, in any spelling that a resolver takes for it."""
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
    """A variable in lower case, else in upper case, and what it says; an empty one says nothing, in
    either case.
    """
    variable = name if name in environ else name.upper()
    return variable, environ.get(variable, "").strip()


def _is_excepted(host: str, port: int, exceptions: str) -> bool:
    """Whether `no_proxy` names a host: by name, domain, port, address or network; `*` names all."""
    return any(
        _names(entry, host, port) for entry in re.split(r"[,\s]+", exceptions.lower()) if entry
    )


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
    """Host and port of an entry; an IPv6 address has colons of its own, and may be in brackets."""
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
        ConfigError: it names none, or one of a kind that cannot be used.
    """
    full = text if "://" in text else f"http://{text}"
    scheme, _, rest = full.partition("://")
    user, at, place = rest.rpartition("@")
    scheme, place = scheme.lower(), place.partition("/")[0]
    name, colon, password = user.partition(":")
    for secret in (password, unquote(password)):
        remember(secret)
    shown = f"{scheme}://{place}"
    if scheme not in (*_TUNNELS, *_SOCKS):
        raise ConfigError(
            f"{variable} names a proxy of a kind that cannot be used: {shown:.200}",
            f"stemctl takes {', '.join(f'{s}://' for s in (*_TUNNELS, 'socks5'))}. Nothing was sent.",
        )
    if scheme in _SOCKS and importlib.util.find_spec("socksio") is None:
        raise ConfigError(
            f"{variable} names a SOCKS proxy, {shown:.200}, and the package socksio is not installed.",
            "Nothing was sent.",
            [("pip install socksio", "lets stemctl use it")],
        )
    scheme = (
        "socks5" if scheme in _SOCKS else scheme
    )  # older versions of httpx do not know socks5h, which is the same
    try:
        # As curl does: what stands before the last @ is the user, whatever its characters.
        address = f"{scheme}://{quote(unquote(name))}{colon}{quote(unquote(password), safe='')}{at}{place}"
        sound = (
            _PLACE.fullmatch(place)
            and urlsplit(address).port != 0
            and httpx.Proxy(address).url.host
        )
    except (ValueError, httpx.InvalidURL):
        sound = False
    if not sound:
        raise ConfigError(
            f"{variable} is not the address of a proxy: {shown:.200}",
            "Write http://HOST:PORT. Nothing was sent.",
            [(f"unset {variable}", "uses no proxy")],
        )
    return Proxy(variable, shown, address, bool(at))


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__
