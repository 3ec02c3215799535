"""The credential of a socket, in the payload of its `connection_init`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from community.errors import InvalidInput, Unauthenticated

AUTHORIZATION = "authorization"

MOST_KEYS, DEEPEST = 100, 5
"""Of a payload; a token is one key."""

_CREDENTIAL = re.compile(
    r"auth(?!or(?!i[sz]))|token|bearer|jwt|(api|access|private)[^a-z0-9]?key|secret|pass(?:w|phrase|code)|pwd|credential"
    r"|cookie|session"
)
_BEARER = re.compile(r"\s*bearer\s", re.IGNORECASE)


class UnknownCredential(Unauthenticated):
    zh = "登录信息要写成 Authorization: Bearer …，其他写法不认。"
    en = 'Send the token as "Authorization": "Bearer …"; another spelling of it is not taken.'


class TwoCredentials(Unauthenticated):
    zh = "Authorization 写了两种不同的值。"
    en = "Authorization was given twice, with different values."


def authorization_in(payload: Mapping[str, Any]) -> str | None:
    """Returns the value of `Authorization`, in any capitalisation; None if there is none.

    Nothing meant as a credential is ignored, or its holder would be a stranger without knowing.
    Raises Unauthenticated, and InvalidInput if the payload is too large.
    """
    given: set[str] = set()
    for index, (key, value, depth) in enumerate(_pairs(payload)):
        if index >= MOST_KEYS or depth > DEEPEST:
            raise InvalidInput(problem_zh="connection_init 的内容太多", problem_en="payload too large")
        if value is None:
            continue
        if depth == 1 and key.lower() == AUTHORIZATION:
            if not isinstance(value, str):
                raise UnknownCredential
            given.add(value)
        elif _CREDENTIAL.search(key.lower()) or (isinstance(value, str) and _is_bearer(value)):
            raise UnknownCredential
    if len(given) > 1:
        raise TwoCredentials
    return given.pop() if given else None


def _is_bearer(value: str) -> bool:
    return _BEARER.match(value) is not None


def _pairs(payload: Mapping[str, Any]) -> Iterator[tuple[str, Any, int]]:
    """Key, value and depth of whatever stands in it; what stands in lists has the key of the list."""
    waiting: list[tuple[str, Any, int]] = [(key, value, 1) for key, value in payload.items()]
    while waiting:
        key, value, depth = waiting.pop()
        yield key, value, depth
        if isinstance(value, Mapping):
            waiting += [(inner, each, depth + 1) for inner, each in value.items()]
        elif isinstance(value, list):
            waiting += [(key, each, depth + 1) for each in value]
