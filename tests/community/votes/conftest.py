"""A poll in the estate."""

from typing import Any

import pytest

from community.signals import Signal
from tests.world.polls import Poll


@pytest.fixture
def poll(build: Any, estate: Any, told: list[Signal], url: str) -> Poll:
    return Poll(build, estate, told, url)
