"""A client's own key makes a retry safe: the same key with the same content is the same command, done once.

What was asked for is kept as a fingerprint, not as it was: an HMAC with a secret of the installation, since
a mere hash of a ballot's choices could be guessed. It is taken over the arguments after cleaning, so that a
retry by another library, which writes the same otherwise, is the same. An argument that is added to a command
later is to be None where it is not given: then the fingerprints from before stay true.
"""

import hmac
import json
import unicodedata
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256

from community.database.models import KeyedDeed
from community.database.sql import hold_word, select
from community.errors import KeyReused, ResultGone
from community.text import line

LONGEST_KEY = 64

_FIND = (
    "SELECT s.value AS secret, d.subject, d.fingerprint FROM secret s"
    " LEFT JOIN keyed_deed d ON d.account_id = ? AND d.deed = ? AND d.key = ?"
)


@dataclass(frozen=True, slots=True)
class Command:
    """What an account asks for by a key of its own; without a key nothing is looked up and nothing kept.

    `result`: what the key already led to. `known`: the record tells by its fingerprint that it was for the
    same; those from before there were fingerprints do not.
    """

    account: int
    name: str
    key: str | None
    now: datetime
    fingerprint: str = ""
    result: int | None = None
    known: bool = False

    def again(self, *, same: bool, stands: bool = True) -> int:
        """The first result once more. Raises KeyReused where it is not for the `same` subject, ResultGone
        where it no longer `stands`; a record without a fingerprint is asked for its subject only.
        """
        if self.result is None or not same:
            raise KeyReused
        if self.known and not stands:
            raise ResultGone
        return self.result

    async def keep(self, result: int) -> None:
        if self.key is not None:
            await KeyedDeed.create(
                account_id=self.account,
                deed=self.name,
                key=self.key,
                subject=result,
                fingerprint=self.fingerprint,
                at=self.now,
            )


async def command(
    account: int, now: datetime, name: str, key: str | None, arguments: Mapping[str, object]
) -> Command:
    """What to do about it; of two retries at once one waits for the other.

    Raises InvalidInput for a key that is none, KeyReused where it was used with other arguments.
    """
    if key is None:
        return Command(account, name, None, now)
    key = line(key, LONGEST_KEY, "提交编号", "the key", field="key")
    await hold_word(f"{account} {name} {key}")
    (found,) = await select(_FIND, [account, name, key])
    fingerprint = _fingerprint(found["secret"], account, name, key, arguments)
    kept = found["fingerprint"]
    if kept is not None and not hmac.compare_digest(kept, fingerprint):
        raise KeyReused
    return Command(account, name, key, now, fingerprint, found["subject"], known=kept is not None)


def _fingerprint(secret: str, account: int, name: str, key: str, arguments: Mapping[str, object]) -> str:
    """Account and key are part of it: equal ballots of two voters must not look alike."""
    text = json.dumps([account, name, key, canonical(arguments)], separators=(",", ":"), sort_keys=True)
    return hmac.new(bytes.fromhex(secret), text.encode(), sha256).hexdigest()


def canonical(value: object) -> object:
    """One JSON for all values that mean the same: None is as absent, sets are sorted, instants are in UTC."""
    match value:
        case bool() | int() | None:
            return value
        case str():
            return unicodedata.normalize("NFC", value)
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case date():
            return value.isoformat()
        case Mapping():
            return {str(name): canonical(one) for name, one in value.items() if one is not None}
        case Set():
            return sorted((canonical(one) for one in value), key=json.dumps)
        case list() | tuple():
            return [canonical(one) for one in value]
    raise TypeError(f"{type(value).__name__} has no canonical form")
