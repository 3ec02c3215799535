"""JSON read so strictly that a file means the same to everybody, and so warily that no file can hurt.

The standard reader takes the last of two equal keys, accepts NaN, rounds fractions, and falls over deep
nesting; a file of votes must not depend on any of that.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Never

from community.text import unseen_in

LARGEST = 64 * 2**20
DEEPEST = 32
# A vote file of the largest size holds at most some three million; more is a file made to fill the memory.
MOST_CONTAINERS = 4_000_000
LONGEST_NUMBER = 18

# The closing quote is optional so that an unfinished string is one token and the scan stays linear.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


class StrictJsonError(ValueError):
    """What is wrong and where: a line and column, or a path such as `units[3].area`."""

    def __init__(self, location: str, reason: str) -> None:
        super().__init__(f"{location}: {reason}")
        self.location = location
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Fault:
    """Stands where the reader met something refused, until its path is known."""

    reason: str
    key: str | None = None


def loads(data: bytes) -> object:
    """Strings, booleans, null, whole numbers, lists and objects; raises StrictJsonError."""
    text = _decode(data)
    _check_brackets(text)
    faults: list[_Fault] = []

    def fault(reason: str, key: str | None = None) -> _Fault:
        faults.append(_Fault(reason, key))
        return faults[-1]

    def members(pairs: list[tuple[str, object]]) -> object:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        return fault("the key is given twice", _first_repeated(key for key, _ in pairs))

    def whole(digits: str) -> object:
        return int(digits) if len(digits) <= LONGEST_NUMBER else fault("the number is too long")

    def refused_number(_: str) -> _Fault:
        return fault("fractions, exponents, NaN and Infinity are not accepted; write amounts as strings")

    try:
        value: object = json.loads(
            text,
            object_pairs_hook=members,
            parse_int=whole,
            parse_float=refused_number,
            parse_constant=refused_number,
        )
    except json.JSONDecodeError as error:
        raise StrictJsonError(
            f"line {error.lineno}, column {error.colno}", f"not JSON: {error.msg}"
        ) from None
    if faults:
        _raise_first(value)
    return value


def member(location: str, key: str) -> str:
    """The path of a key; one that is no plain word is quoted and cut, since it comes from a stranger."""
    shown = key if re.fullmatch(r"\w{1,40}", key) and not unseen_in(key) else ascii(key[:40])
    return f"{location}.{shown}" if location else shown


def _decode(data: bytes) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        raise StrictJsonError("line 1, column 1", "starts with a byte order mark; plain UTF-8 is wanted")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise StrictJsonError(f"line {line}", f"byte {error.start} is not UTF-8") from None


def _check_brackets(text: str) -> None:
    depth = containers = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        bracket = token[0]
        if bracket in "[{":
            depth += 1
            containers += 1
            if depth > DEEPEST:
                _refuse_at(text, token.start(), f"nested deeper than {DEEPEST}")
            if containers > MOST_CONTAINERS:
                _refuse_at(text, token.start(), f"more than {MOST_CONTAINERS} lists and objects")
        elif bracket in "]}":
            depth -= 1


def _refuse_at(text: str, at: int, reason: str) -> Never:
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    raise StrictJsonError(f"line {line}, column {column}", reason)


def _first_repeated(keys: Iterable[str]) -> str:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            return key
        seen.add(key)
    raise AssertionError("called only where a key is repeated")


def _raise_first(value: object) -> Never:
    # An object that is itself refused hides the faults within it, but then it is the one that is found.
    location, fault = next(_faults(value, ""))
    where = location if fault.key is None else member(location, fault.key)
    raise StrictJsonError(where or "the file", fault.reason)


def _faults(value: object, location: str) -> Iterator[tuple[str, _Fault]]:
    if isinstance(value, _Fault):
        yield location, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _faults(inner, member(location, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _faults(inner, f"{location}[{index}]")
