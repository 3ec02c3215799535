"""Idempotency keys: the same key of an account with the same arguments is the same command, run once.

The arguments are stored as a fingerprint: an HMAC with a secret of the installation, since a mere hash of a
ballot's choices could be guessed. It is taken over the cleaned arguments, so that a retry by another library,
which writes the same values differently, is the same. An argument that a command gets later must be None by
default: then older fingerprints stay valid.
"""

import hmac
import json
import unicodedata
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256

from community.database.locks import Lock
from community.database.models import IdempotencyRecord
from community.database.sql import lock_advisory, select
from community.errors import KeyReused, ResultGone
from community.text import single_line

LONGEST_KEY = 64

_FIND = (
    "SELECT s.value AS secret, d.subject, d.fingerprint FROM secret s"
    " LEFT JOIN keyed_deed d ON d.account_id = ? AND d.deed = ? AND d.key = ?"
)


@dataclass(frozen=True, slots=True)
class Command:
    """What an account asks for under an idempotency key; without a key nothing is looked up or stored.

    `keyed`: the account and its key. `result`: what the key led to before. `known`: the record has a
    fingerprint, and it is the same; older records have none.
    """

    now: datetime
    name: str
    keyed: tuple[int, str] | None = None
    fingerprint: str | None = None
    result: int | None = None
    known: bool = False

    def again(self, *, same: bool, stands: bool = True) -> int:
        """Returns the first result. Raises KeyReused if it is not for the `same` subject, ResultGone if it no
        longer `stands`; of a record without a fingerprint only the subject is checked.
        """
        if self.result is None or not same:
            raise KeyReused
        if self.known and not stands:
            raise ResultGone
        return self.result

    async def store(self, result: int) -> None:
        if self.keyed is not None:
            account, key = self.keyed
            await IdempotencyRecord.create(
                account_id=account,
                deed=self.name,
                key=key,
                subject=result,
                fingerprint=self.fingerprint,
                at=self.now,
            )


async def command(
    account: int, now: datetime, name: str, key: str, arguments: Mapping[str, object]
) -> Command:
    """Looks the key up; of two retries at once one waits for the other.

    Raises InvalidInput if the key is malformed, KeyReused if it was used with other arguments.
    """
    key = single_line(key, LONGEST_KEY, "提交编号", "the key", field="key")
    await lock_advisory(f"{account} {name} {key}", Lock.KEY)
    (found,) = await select(_FIND, [account, name, key])
    fingerprint = _fingerprint(found["secret"], account, name, key, arguments)
    kept = found["fingerprint"]
    if kept is not None and not hmac.compare_digest(kept, fingerprint):
        raise KeyReused
    return Command(now, name, (account, key), fingerprint, found["subject"], known=kept is not None)


def _fingerprint(secret: str, account: int, name: str, key: str, arguments: Mapping[str, object]) -> str:
    """Covers account and key: equal ballots of two voters must not look alike."""
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
