import asyncio

import pytest

from api import probe
from api.probe import DatabaseProbe
from community.database import journal


async def test_a_database_that_hangs_is_asked_once_and_waited_for_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    speaks, asked = asyncio.Event(), []

    async def head() -> int:
        asked.append(1)
        await speaks.wait()
        return len(asked)

    monkeypatch.setattr(journal, "heads", head)
    with monkeypatch.context() as impatient:
        impatient.setattr(probe, "LONGEST", 0.01)
        looking = DatabaseProbe()
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await looking.heads()
    speaks.set()
    assert await looking.heads() == 1
    assert await looking.heads() == 2
