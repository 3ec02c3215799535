"""The host names of this server, and the origins whose pages may use it."""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from strawberry.http.websocket_origin import normalize_origin

ANY = "*"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

_NAME = r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?"
_HOST = re.compile(rf"(?P<name>{_NAME}|\[[0-9a-f:.]+\])\.?(?::(?P<port>[0-9]{{1,5}}))?")


class BadName(ValueError):
    """Not a host or an origin; the text is what was given."""


def host_of(given: str) -> str:
    """`name` or `name:port` as all spellings of it are compared. Raises BadName."""
    found = _HOST.fullmatch(given.lower()) if len(given) <= 260 else None
    if found is None:
        raise BadName(given)
    name, port = found["name"], found["port"]
    if name.startswith("["):
        try:
            name = f"[{IPv6Address(name[1:-1]).compressed}]"
        except ValueError:
            raise BadName(given) from None
    return name if port is None else f"{name}:{int(port)}"


def origin_of(url: str) -> str | None:
    """Scheme, host and port of a web address as browsers say them."""
    origin = normalize_origin(url) if "@" not in url else None
    return origin if origin is not None and origin.startswith(("http://", "https://")) else None


def allowed_origin_of(given: str) -> str:
    """An origin for the list of those allowed, or `*`. Raises BadName."""
    if given == ANY:
        return ANY
    origin = origin_of(given)
    if origin is None or urlsplit(given).path not in ("", "/") or set(given) & set("?#@*"):
        raise BadName(given)
    return origin


def _without_port(host: str) -> str:
    return re.sub(r":\d+$", "", host)


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


class Hosts:
    """Names of ours: that of the public address, at any port, and those allowed besides."""

    def __init__(self, public_url: str, allowed: Collection[str]) -> None:
        name = _ascii(urlsplit(public_url).hostname or "")
        own = host_of(f"[{name}]" if ":" in name else name)
        self._names = frozenset({own, *(LOOPBACK if _is_loopback(own) else ()), *allowed})
        self._ours = lru_cache(256)(self._is_ours)  # the same few are asked for all day

    def ours(self, given: Sequence[str]) -> bool:
        """`given`: every Host header of a request, of which there has to be one."""
        return len(given) == 1 and len(given[0]) <= 260 and self._ours(given[0])

    def _is_ours(self, given: str) -> bool:
        try:
            host = host_of(given)
        except BadName:
            return False
        return host in self._names or _without_port(host) in self._names


def _ascii(name: str) -> str:
    """Converts names of other scripts as browsers do (IDNA)."""
    return name if name.isascii() else name.encode("idna").decode()


class Origins:
    """Pages of ours, which may rely on the cookie, and pages elsewhere that may ask with a token."""

    def __init__(self, public_url: str, allowed: Collection[str]) -> None:
        self._own, self._allowed = origin_of(public_url), frozenset(allowed)

    def own(self, origin: str | None, scheme: str, host: str) -> bool:
        """`scheme`, `host`: as the request came, which is one of ours."""
        if not origin or (named := origin_of(origin)) is None:
            return False
        return named in (self._own, origin_of(f"{scheme}://{host}"))

    def answer_to(self, origin: str) -> str | None:
        """The value of access-control-allow-origin: `*`, or the origin; None if its pages may not read."""
        if ANY in self._allowed:
            return ANY
        named = origin_of(origin)
        return named if named in self._allowed else None

    @property
    def any_elsewhere(self) -> bool:
        return bool(self._allowed)
