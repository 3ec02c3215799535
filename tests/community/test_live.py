"""What can be watched is declared in the `facts.py` of its topic, and says who may and when it changes."""

from collections.abc import Iterator
from importlib import import_module
from inspect import iscoroutinefunction, signature
from pathlib import Path
from typing import Any

import pytest

import community
from community.live import Journal, State, Watchable
from community.permissions import GRANTS, Permission
from community.signals import Topic

TOPICS = Path(community.__file__).parent


def _declared() -> Iterator[Any]:
    for path in sorted(TOPICS.rglob("facts.py")):
        module = import_module(f"community.{'.'.join(path.relative_to(TOPICS).with_suffix('').parts)}")
        for name, value in vars(module).items():
            if isinstance(value, Watchable):
                yield pytest.param(value, id=f"{path.parent.name}.{name}")


DECLARED = list(_declared())


def test_all_of_them_are_found() -> None:
    assert [each.id for each in DECLARED] == [
        "bulletin.BULLETIN", "events.ATTENDANCE", "ledger.BALANCE", "votes.TALLY",
    ]  # fmt: skip


@pytest.mark.parametrize("declaration", DECLARED)
def test_each_names_its_topic_and_a_permission_to_read(declaration: Any) -> None:
    assert isinstance(declaration, State | Journal)
    assert isinstance(declaration.topic, Topic)
    assert isinstance(declaration.permission, Permission)
    assert GRANTS[declaration.permission].public  # of a community that may be read by everybody


def test_no_two_are_told_of_by_one_topic_and_none_by_that_of_a_right() -> None:
    topics = [each.values[0].topic for each in DECLARED]
    assert len(set(topics)) == len(topics)
    assert not {Topic.RIGHTS, Topic.READING} & set(topics)


@pytest.mark.parametrize("declaration", DECLARED)
def test_each_is_read_by_its_key(declaration: Any) -> None:
    taken = {"scope_of": 1}
    if isinstance(declaration, State):
        taken |= {"read": 1}
    else:
        taken |= {"items_after": 3, "head": 0, "recent": 1, "cursors": 1}
    for name, arguments in taken.items():
        read = getattr(declaration, name)
        assert iscoroutinefunction(read), name
        signature(read).bind(*range(arguments))


def test_nothing_is_declared_elsewhere() -> None:
    sources = [path for path in TOPICS.rglob("*.py") if path.name not in ("facts.py", "live.py")]
    assert [path for path in sources if "community.live" in path.read_text(encoding="utf-8")] == []
