import asyncio

import pytest

from api import glance
from api.glance import Glance
from community.database import journal


async def test_a_database_that_hangs_is_asked_once_and_waited_for_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    speaks, asked = asyncio.Event(), []

    async def head() -> int:
        asked.append(1)
        await speaks.wait()
        return len(asked)

    monkeypatch.setattr(journal, "head", head)
    with monkeypatch.context() as impatient:
        impatient.setattr(glance, "LONGEST", 0.01)
        looking = Glance()
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await looking.head()
    speaks.set()
    assert await looking.head() == 1
    assert await looking.head() == 2
