"""Tests of one group run in one worker, where what they share is built once.

pytest-xdist tells the group by the id of a test, where it writes it in a way that pytest 9.2 no longer reads
(pytest-xdist#1386, open): marks alone group nothing. tests/test_groups.py says when this can go.
"""

import pytest
from _pytest.nodeid import NodeId

OF_A_MODULE = {"server", "either_server"}
"""Fixtures for all tests of a module, which are a group without a mark of theirs."""


def _group(item: pytest.Item) -> str | None:
    mark = item.get_closest_marker("xdist_group")
    if mark:
        return str(mark.args[0])
    shares = OF_A_MODULE & set(getattr(item, "fixturenames", ()))
    return item.path.stem if shares else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("loadgroup", False):
        for item in items:
            if group := _group(item):
                item._id = NodeId.parse(f"{item.nodeid}@{group}")
