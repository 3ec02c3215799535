"""Every setting of the house: environment variables that begin with MEILIN_."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from api.origins import BadName, allowed_origin_of, host_of, origin_of
from schema.cost import MOST_COST

ENGINES = ("sqlite:///", "postgres://", "postgresql://")
NUMBERS: dict[str, tuple[type[int] | type[float], float, float]] = {
    "live_pause": (float, 0, 10),
    "live_share": (float, 0.05, 1),
    "sockets_per_address": (int, 1, 1_000_000),
    "connections": (int, 10, 1_000_000),
    "connections_per_address": (int, 1, 1_000_000),
    "sign_ins_per_address": (int, 1, 1_000_000),
    "most_cost": (float, 1_000, 100_000_000),
    "kept_answers": (int, 0, 1_000_000_000_000),
}
LISTS: dict[str, tuple[Callable[[str], str], str]] = {
    "allowed_hosts": (host_of, "names such as meilin.example"),
    "allowed_origins": (allowed_origin_of, "origins such as https://app.example, or *"),
}
SWITCHES = {"compiled": {"on": True, "off": False}}
LINES = ("redis://", "rediss://", "unix://")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
HOME = Path(__file__).resolve().parent.parent


class BadSetting(ValueError):
    """A setting that cannot be meant; its text is what the operator reads."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`database_url`: sqlite:///path or postgres://…; `redis_url`: redis://…, none for a single process;
    `public_url`: how browsers reach us; `live_pause`: seconds between two rounds of one vote or event;
    `live_share`: of a process's time that may go into writing to screens; `allowed_hosts`: further names
    of ours; `allowed_origins`: pages elsewhere that may ask with a token, or `*`; `metrics_token`: without
    it there are no metrics; `sign_ins_per_address`: a minute; `most_cost`: of one request, in
    microseconds as `schema/cost.py` reckons them; `smtp_url` and `operator_mail`: where mail about what was
    given up goes, none without them; `compiled`: whether answers are completed by generated functions
    (docs/compiled.md); `kept_answers`: bytes of answers kept in memory, 0 for none (docs/reads.md). Whatever
    is counted by address is counted by each process for itself, connections only until they are sockets.
    """

    database_url: str = f"sqlite:///{HOME}/var/meilin.sqlite3"
    redis_url: str = ""
    public_url: str = "http://localhost:8000"
    log_level: str = "INFO"
    live_pause: float = 0.1
    live_share: float = 0.5
    sockets_per_address: int = 2000
    connections: int = 20_000
    connections_per_address: int = 2000
    sign_ins_per_address: int = 120
    most_cost: float = MOST_COST
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    metrics_token: str = ""
    smtp_url: str = ""
    operator_mail: str = ""
    compiled: bool = True
    kept_answers: int = 32 * 1024 * 1024

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ, *, port: int = 8000) -> "Settings":
        """`port` is in the public address where nobody set one. Raises BadSetting for an unknown MEILIN_…
        and for one that cannot be meant.
        """
        known = {f"MEILIN_{field.name.upper()}": field.name for field in fields(cls)}
        given = {name: value for name, value in environment.items() if name.startswith("MEILIN_")}
        if unknown := sorted(set(given) - set(known)):
            raise BadSetting(f"unknown setting {unknown[0]}; there are {', '.join(known)}")
        values = {known[name]: value for name, value in given.items() if value}
        settings = cls(**{"public_url": f"http://localhost:{port}"} | _lists(_switches(_numbers(values))))
        if not settings.database_url.startswith(ENGINES):
            raise BadSetting(f"MEILIN_DATABASE_URL begins with {' or '.join(ENGINES)}")
        if settings.redis_url and not settings.redis_url.startswith(LINES):
            raise BadSetting(f"MEILIN_REDIS_URL begins with {' or '.join(LINES)}")
        if origin_of(settings.public_url) is None:
            raise BadSetting("MEILIN_PUBLIC_URL is like https://meilin.example")
        if bool(settings.smtp_url) != bool(settings.operator_mail):
            raise BadSetting("MEILIN_SMTP_URL and MEILIN_OPERATOR_MAIL belong together")
        if settings.smtp_url and not _is_mail_server(settings.smtp_url):
            raise BadSetting("MEILIN_SMTP_URL is like smtp://name:password@mail.example:587, or smtps://")
        if settings.smtp_url and not re.fullmatch(r"[^\s@<>,]+@[^\s@<>,]+", settings.operator_mail):
            raise BadSetting("MEILIN_OPERATOR_MAIL is one address")
        if settings.log_level not in LEVELS:
            raise BadSetting(f"MEILIN_LOG_LEVEL is {' or '.join(LEVELS)}")
        return settings

    @property
    def secure(self) -> bool:
        """Browsers reach us over TLS, so cookies may insist on it."""
        return self.public_url.startswith("https://")


def _is_mail_server(url: str) -> bool:
    try:
        at = urlsplit(url)
        return at.scheme in {"smtp", "smtps"} and bool(at.hostname) and at.port != 0
    except ValueError:
        return False


def _numbers(values: Mapping[str, str]) -> dict[str, Any]:
    """`values` with those that are numbers as numbers. Raises BadSetting."""
    read: dict[str, Any] = dict(values)
    for name, (kind, least, most) in NUMBERS.items():
        if name in read:
            try:
                read[name] = kind(read[name])
            except ValueError:
                read[name] = None
            if read[name] is None or not least <= read[name] <= most:
                raise BadSetting(f"MEILIN_{name.upper()} is a number from {least} to {most}")
    return read


def _switches(values: dict[str, Any]) -> dict[str, Any]:
    """`values` with those that are on or off as truths. Raises BadSetting."""
    for name, meanings in SWITCHES.items():
        if name in values:
            if values[name] not in meanings:
                raise BadSetting(f"MEILIN_{name.upper()} is {' or '.join(meanings)}")
            values[name] = meanings[values[name]]
    return values


def _lists(values: dict[str, Any]) -> dict[str, Any]:
    """`values` with those that are lists, with commas or spaces between, as tuples. Raises BadSetting."""
    for name, (read, example) in LISTS.items():
        if name in values:
            said = values[name].replace(",", " ").split()
            try:
                values[name] = tuple(dict.fromkeys(map(read, said)))
            except BadName as error:
                raise BadSetting(f"MEILIN_{name.upper()} is a list of {example}, not {error}") from None
    return values
