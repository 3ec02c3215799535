"""What an address of the page says, and the one way in which it is written. Nothing is looked up here."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import parse_qs, quote

from community.errors import InvalidId, InvalidInput
from community.ledger.rules import days_of
from community.places.rules import LONGEST_SLUG
from schema.nodes import parse_id

LARGEST = 2**31 - 1
_NUMBER = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
_AS_IN_THE_PAGE = "!'()*~"
"""What `encodeURIComponent` leaves as it is, beside what `quote` does."""


class Kind(StrEnum):
    """What is shown; the value stands in the address."""

    HOME = ""
    BULLETIN = "c"
    VOTE = "v"
    EVENT = "e"
    NOTICE = "n"
    ENTRY = "l"
    LEDGER = "ledger"
    PUBLISH = "publish"


NODES = {"Vote": Kind.VOTE, "Event": Kind.EVENT, "Notice": Kind.NOTICE}
NUMBERED = {kind.value: kind for kind in (*NODES.values(), Kind.ENTRY)}
BY_ID = {"votes", "events", "notices"}
"""Where Relay ids stand; each leads to where its own kind stands."""


@dataclass(frozen=True, slots=True)
class Address:
    """`key`: of a node, where its id stands instead of its number. `month`: of the ledger, YYYY-MM."""

    kind: Kind
    slug: str = ""
    number: int = 0
    key: int | None = None
    month: str = ""

    @property
    def path(self) -> str:
        """As it is written; of one with a key, where it will lead is not known yet."""
        if self.kind is Kind.HOME:
            return "/"
        community = f"/c/{quote(self.slug, safe=_AS_IN_THE_PAGE)}"
        if self.kind is Kind.BULLETIN:
            return community
        if self.kind.value in NUMBERED:
            return f"{community}/{self.kind.value}/{self.number}"
        return f"{community}/{self.kind.value}"

    @property
    def whole(self) -> str:
        """With the month: what is said of it elsewhere."""
        return f"{self.path}?month={self.month}" if self.month else self.path


def parse(path: str, query: str = "") -> Address | None:
    """None where nothing can be meant by it. `path` comes decoded; slashes too many do not matter, nor how
    our own words are capitalised.
    """
    parts = [part for part in path.split("/") if part]
    if not parts:
        return Address(Kind.HOME)
    if parts[0].lower() != Kind.BULLETIN or not 2 <= len(parts) <= 4 or not _is_slug(parts[1]):
        return None
    address = _below([parts[2].lower(), *parts[3:]] if parts[2:] else [], parts[1])
    return _in_month(address, query) if address and address.kind is Kind.LEDGER else address


def _is_slug(text: str) -> bool:
    return text.isprintable() and len(text) <= LONGEST_SLUG


def _below(parts: list[str], slug: str) -> Address | None:
    match parts:
        case []:
            return Address(Kind.BULLETIN, slug)
        case [Kind.LEDGER.value | Kind.PUBLISH.value as word]:
            return Address(Kind(word), slug)
        case [word, number] if word in NUMBERED and _NUMBER.fullmatch(number) and int(number) <= LARGEST:
            return Address(NUMBERED[word], slug, int(number))
        case [word, text] if word in BY_ID:
            return _of_node(text, slug)
    return None


def _of_node(text: str, slug: str) -> Address | None:
    try:
        type_name, key = parse_id(text)
    except InvalidId:
        return None
    return Address(NODES[type_name], slug, key=key) if type_name in NODES else None


def _in_month(ledger: Address, query: str) -> Address | None:
    try:
        month = parse_qs(query, max_num_fields=50).get("month", [""])[0]
        if month:
            days_of(month)
    except (ValueError, InvalidInput):
        return None
    return replace(ledger, month=month)
