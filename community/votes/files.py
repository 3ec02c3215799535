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
    """A vote file that is not counted at all, with the place at fault, such as `units[3].area`."""

    code = ErrorCode.INVALID_INPUT
    zh = "表决文件有误，{place}：{reason}"
    en = "{place}: {reason}"

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(place=place, reason=reason)
        self.place = place
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
    """Raises BadVoteFile at the first place that is not exactly as a vote file is written."""
    try:
        value = strict_json.loads(data)
    except StrictJsonError as error:
        raise BadVoteFile(error.place, error.reason) from None
    vote = _object(value, "", ("title", "matter", "units"), ("rules", "ballots", "served", "expect"))
    owners = _Names()
    return VoteFile(
        title=_text(vote["title"], "title"),
        matter=_word(Matter, vote["matter"], "matter"),
        rules=_rules(vote.get("rules", {})),
        units=_units(vote["units"], owners),
        ballots=tuple(
            _ballot(item, place, owners) for item, place in _items(vote.get("ballots", []), "ballots")
        ),
        served=tuple(_by(item, place, owners) for item, place in _items(vote.get("served", []), "served")),
    )


class _Names:
    """What was named so far, so that two names which look the same are not two owners."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._first: dict[str, tuple[str, str]] = {}

    def named(self, name: str, place: str) -> str:
        if name not in self._known:
            self._known.add(name)
            first, before = self._first.setdefault(as_seen(name), (name, place))
            if first != name:
                raise BadVoteFile(place, f"looks the same as {before}, but is written with other characters")
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
    for item, place in _items(value, "units", at_least_one=True):
        unit = _unit(item, place, owners)
        names.named(unit.unit, f"{place}.unit")
        if unit.unit in seen:
            raise BadVoteFile(f"{place}.unit", "the unit is named twice")
        seen.add(unit.unit)
        units.append(unit)
    return tuple(units)


def _unit(value: object, place: str, owners: _Names) -> RollUnit[str, Party]:
    unit = _object(value, place, ("unit", "owners", "area"), ("kind", "status"))
    return RollUnit(
        unit=_label(unit["unit"], f"{place}.unit"),
        owner=_owners(unit["owners"], f"{place}.owners", owners),
        area=_area(unit["area"], f"{place}.area"),
        kind=_word(UnitKind, unit.get("kind", UnitKind.DWELLING), f"{place}.kind"),
        status=_word(DeliveryStatus, unit.get("status", DeliveryStatus.DELIVERED), f"{place}.status"),
    )


def _owners(value: object, place: str, owners: _Names) -> Party:
    names: set[str] = set()
    for item, at in _items(value, place, at_least_one=True):
        name = owners.named(_name(item, at), at)
        if name in names:
            raise BadVoteFile(at, "the owner is named twice")
        names.add(name)
    return frozenset(names)


def _ballot(value: object, place: str, owners: _Names) -> FileBallot:
    ballot = _object(value, place, ("by", "choice"), ())
    return FileBallot(
        _by(ballot["by"], f"{place}.by", owners),
        _word(Option, ballot["choice"], f"{place}.choice"),
    )


def _by(value: object, place: str, owners: _Names) -> str:
    by = _text(value, place)
    for name in by.split("+"):
        owners.named(_label(name, place), place)
    return by


def _name(value: object, place: str) -> str:
    name = _label(value, place)
    if "+" in name:
        raise BadVoteFile(place, "a name has no +, which joins the names of co-owners")
    return name


def _label(value: object, place: str) -> str:
    label = _text(value, place)
    if not 1 <= len(label) <= LONGEST_NAME:
        raise BadVoteFile(place, f"must have 1 to {LONGEST_NAME} characters")
    if label != label.strip():
        raise BadVoteFile(place, "must have no white space at either end")
    if (sign := unseen_in(label)) is not None:
        raise BadVoteFile(place, f"contains U+{ord(sign):04X}, which nobody sees")
    return label


def _area(value: object, place: str) -> int:
    text = _text(value, place)
    if not _AMOUNT.fullmatch(text):
        raise BadVoteFile(place, 'must be square metres with two decimals below ten million, such as "89.50"')
    if text == "0.00":
        raise BadVoteFile(place, "must not be 0.00")
    return int(text.replace(".", ""))


def _word(words: type[Word], value: object, place: str) -> Word:
    try:
        return words(_text(value, place))
    except ValueError:
        raise BadVoteFile(place, f"must be one of {', '.join(words)}") from None


def _text(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise BadVoteFile(place, "must be a string")
    if _SURROGATE.search(value):
        raise BadVoteFile(place, "has half a surrogate pair, which is no character")
    return value


def _flag(value: object, place: str) -> bool:
    if not isinstance(value, bool):
        raise BadVoteFile(place, "must be true or false")
    return value


def _items(value: object, place: str, *, at_least_one: bool = False) -> Iterable[tuple[object, str]]:
    if not isinstance(value, list):
        raise BadVoteFile(place, "must be a list")
    if at_least_one and not value:
        raise BadVoteFile(place, "must not be empty")
    return ((item, f"{place}[{index}]") for index, item in enumerate(value))


def _object(
    value: object, place: str, required: tuple[str, ...], optional: tuple[str, ...]
) -> dict[str, object]:
    if not isinstance(value, dict):
        raise BadVoteFile(place or "the file", "must be an object")
    for key in value:
        if key not in required and key not in optional:
            raise BadVoteFile(member(place, key), "the key is unknown")
    for key in required:
        if key not in value:
            raise BadVoteFile(member(place, key), "is missing")
    return value
