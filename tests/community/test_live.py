"""What can be watched is declared in the `facts.py` of its topic, and says who may and when it changes."""

from inspect import iscoroutinefunction, signature
from pathlib import Path
from typing import Any

import pytest

import community
from community.catalogue import catalogue
from community.live import Journal, State, Watchable
from community.permissions import NOBODY, Permission, Scope, may
from tests.examples import every

TOPICS = Path(community.__file__).parent
DECLARED = {name: topic for name, topic in catalogue().topics.items() if isinstance(topic, Watchable)}

each = pytest.mark.parametrize("declaration", DECLARED.values(), ids=DECLARED.keys())


def test_all_of_them_are_found() -> None:
    said = every(lambda topic: topic.live)
    assert set(DECLARED) - {*said} == set(), "`live` in tests/topics/<topic>.py names it"
    assert {*said} <= DECLARED.keys()
    assert len(said) == len(DECLARED)


@each
def test_each_names_a_permission_to_read(declaration: Any) -> None:
    assert isinstance(declaration, State | Journal)
    assert not declaration.subject.of_city
    assert isinstance(declaration.permission, Permission)
    # Of a community that may be read by everybody.
    assert may(NOBODY, declaration.permission, Scope(7, public_reading=True))


@each
def test_each_is_read_by_its_key(declaration: Any) -> None:
    if isinstance(declaration, State):
        taken = {"read": 1}
    else:
        taken = {"items_after": 3, "head": 1, "recent": 1, "cursors": 1}
    for name, arguments in taken.items():
        read = getattr(declaration, name)
        assert iscoroutinefunction(read), name
        signature(read).bind(*range(arguments))


def test_nothing_is_declared_elsewhere() -> None:
    sources = [path for path in TOPICS.rglob("*.py") if path.name not in ("facts.py", "live.py")]
    assert [path for path in sources if "community.live" in path.read_text(encoding="utf-8")] == []
