"""Vote files: one vote with one question as JSON, read so strictly that it means the same to everybody."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from community.errors import ErrorCode, Refused
from community.places.rules import DeliveryStatus, UnitKind
from community.text import as_seen, unseen_in
from community.votes import strict_json
from community.votes.roll import RollUnit
from community.votes.rules import CountingRules, FollowMajority, Matter, Option, Silence
from community.votes.strict_json import LARGEST, StrictJsonError, member

Party = frozenset[str]
Word = TypeVar("Word", bound=StrEnum)

DEVELOPER: Party = frozenset({"DEVELOPER"})
LONGEST_NAME = 100
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,6})\.[0-9]{2}")
_SURROGATE = re.compile("[\ud800-\udfff]")


class BadVoteFile(Refused):
    """A vote file that is not counted at all, with the location of the fault, such as `units[3].area`."""

    code = ErrorCode.INVALID_INPUT
    zh = "表决文件有误，{location}：{reason}"
    en = "{location}: {reason}"

    def __init__(self, location: str, reason: str) -> None:
        super().__init__(location=location, reason=reason)
        self.location = location
        self.reason = reason


@dataclass(frozen=True, slots=True)
class FileBallot:
    """`by` is one owner's name, or all names of a party joined by `+`."""

    by: str
    choice: Option


@dataclass(frozen=True, slots=True)
class VoteFile:
    """A vote as written, with ballots in order of arrival."""

    title: str
    matter: Matter
    rules: CountingRules
    units: tuple[RollUnit[str, Party], ...]
    ballots: tuple[FileBallot, ...]
    served: tuple[str, ...]


def read(path: Path) -> VoteFile:
    """Takes no more than 64 MiB into memory, whatever the file is; raises BadVoteFile."""
    try:
        with path.open("rb") as file:
            # A pipe has no size to look at beforehand, so the reading is limited as well.
            too_large = path.stat().st_size > LARGEST
            data = b"" if too_large else file.read(LARGEST + 1)
    except OSError as error:
        raise BadVoteFile("the file", f"cannot be read: {error.strerror}") from None
    if too_large or len(data) > LARGEST:
        raise BadVoteFile("the file", f"larger than {LARGEST // 2**20} MiB")
    return parse(data)


def parse(data: bytes) -> VoteFile:
    """Raises BadVoteFile at the first location that is not exactly as a vote file is written."""
    try:
        value = strict_json.loads(data)
    except StrictJsonError as error:
        raise BadVoteFile(error.location, error.reason) from None
    vote = _object(value, "", ("title", "matter", "units"), ("rules", "ballots", "served", "expect"))
    owners = _Names()
    return VoteFile(
        title=_text(vote["title"], "title"),
        matter=_word(Matter, vote["matter"], "matter"),
        rules=_rules(vote.get("rules", {})),
        units=_units(vote["units"], owners),
        ballots=tuple(
            _ballot(item, location, owners) for item, location in _items(vote.get("ballots", []), "ballots")
        ),
        served=tuple(
            _by(item, location, owners) for item, location in _items(vote.get("served", []), "served")
        ),
    )


class _Names:
    """What was named so far, so that two names which look the same are not two owners."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._first: dict[str, tuple[str, str]] = {}

    def named(self, name: str, location: str) -> str:
        if name not in self._known:
            self._known.add(name)
            first, before = self._first.setdefault(as_seen(name), (name, location))
            if first != name:
                raise BadVoteFile(
                    location, f"looks the same as {before}, but is written with other characters"
                )
        return name


def _rules(value: object) -> CountingRules:
    keys = ("parkingCounts", "followMajority", "silence", "silenceFloor")
    rules = _object(value, "rules", (), keys)
    default = CountingRules()
    return CountingRules(
        parking_counts=_flag(rules.get("parkingCounts", default.parking_counts), "rules.parkingCounts"),
        follow_majority=_word(
            FollowMajority, rules.get("followMajority", default.follow_majority), "rules.followMajority"
        ),
        silence=_word(Silence, rules.get("silence", default.silence), "rules.silence"),
        silence_floor=_flag(rules.get("silenceFloor", default.silence_floor), "rules.silenceFloor"),
    )


def _units(value: object, owners: _Names) -> tuple[RollUnit[str, Party], ...]:
    seen: set[str] = set()
    names = _Names()
    units = []
    for item, location in _items(value, "units", at_least_one=True):
        unit = _unit(item, location, owners)
        names.named(unit.unit, f"{location}.unit")
        if unit.unit in seen:
            raise BadVoteFile(f"{location}.unit", "the unit is named twice")
        seen.add(unit.unit)
        units.append(unit)
    return tuple(units)


def _unit(value: object, location: str, owners: _Names) -> RollUnit[str, Party]:
    unit = _object(value, location, ("unit", "owners", "area"), ("kind", "status"))
    return RollUnit(
        unit=_label(unit["unit"], f"{location}.unit"),
        owner=_owners(unit["owners"], f"{location}.owners", owners),
        area=_area(unit["area"], f"{location}.area"),
        kind=_word(UnitKind, unit.get("kind", UnitKind.DWELLING), f"{location}.kind"),
        status=_word(DeliveryStatus, unit.get("status", DeliveryStatus.DELIVERED), f"{location}.status"),
    )


def _owners(value: object, location: str, owners: _Names) -> Party:
    names: set[str] = set()
    for item, at in _items(value, location, at_least_one=True):
        name = owners.named(_name(item, at), at)
        if name in names:
            raise BadVoteFile(at, "the owner is named twice")
        names.add(name)
    return frozenset(names)


def _ballot(value: object, location: str, owners: _Names) -> FileBallot:
    ballot = _object(value, location, ("by", "choice"), ())
    return FileBallot(
        _by(ballot["by"], f"{location}.by", owners),
        _word(Option, ballot["choice"], f"{location}.choice"),
    )


def _by(value: object, location: str, owners: _Names) -> str:
    by = _text(value, location)
    for name in by.split("+"):
        owners.named(_label(name, location), location)
    return by


def _name(value: object, location: str) -> str:
    name = _label(value, location)
    if "+" in name:
        raise BadVoteFile(location, "a name has no +, which joins the names of co-owners")
    return name


def _label(value: object, location: str) -> str:
    label = _text(value, location)
    if not 1 <= len(label) <= LONGEST_NAME:
        raise BadVoteFile(location, f"must have 1 to {LONGEST_NAME} characters")
    if label != label.strip():
        raise BadVoteFile(location, "must have no white space at either end")
    if (sign := unseen_in(label)) is not None:
        raise BadVoteFile(location, f"contains U+{ord(sign):04X}, which nobody sees")
    return label


def _area(value: object, location: str) -> int:
    text = _text(value, location)
    if not _AMOUNT.fullmatch(text):
        raise BadVoteFile(
            location, 'must be square metres with two decimals below ten million, such as "89.50"'
        )
    if text == "0.00":
        raise BadVoteFile(location, "must not be 0.00")
    return int(text.replace(".", ""))


def _word(words: type[Word], value: object, location: str) -> Word:
    try:
        return words(_text(value, location))
    except ValueError:
        raise BadVoteFile(location, f"must be one of {', '.join(words)}") from None


def _text(value: object, location: str) -> str:
    if not isinstance(value, str):
        raise BadVoteFile(location, "must be a string")
    if _SURROGATE.search(value):
        raise BadVoteFile(location, "has half a surrogate pair, which is no character")
    return value


def _flag(value: object, location: str) -> bool:
    if not isinstance(value, bool):
        raise BadVoteFile(location, "must be true or false")
    return value


def _items(value: object, location: str, *, at_least_one: bool = False) -> Iterable[tuple[object, str]]:
    if not isinstance(value, list):
        raise BadVoteFile(location, "must be a list")
    if at_least_one and not value:
        raise BadVoteFile(location, "must not be empty")
    return ((item, f"{location}[{index}]") for index, item in enumerate(value))


def _object(
    value: object, location: str, required: tuple[str, ...], optional: tuple[str, ...]
) -> dict[str, object]:
    if not isinstance(value, dict):
        raise BadVoteFile(location or "the file", "must be an object")
    for key in value:
        if key not in required and key not in optional:
            raise BadVoteFile(member(location, key), "the key is unknown")
    for key in required:
        if key not in value:
            raise BadVoteFile(member(location, key), "is missing")
    return value
