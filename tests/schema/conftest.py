"""What is sent to the database."""

from typing import Any

import pytest
from tortoise.backends.asyncpg.client import AsyncpgDBClient

from community.database.sqlite import OneWriterClient


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that reads, as it is sent."""
    sent: list[str] = []

    def noted(real: Any) -> Any:
        async def read(self: Any, query: str, values: Any = None) -> Any:
            sent.append(query)
            return await real(self, query, values)

        return read

    for client, name in (
        (OneWriterClient, "_read"),
        (AsyncpgDBClient, "execute_query"),
        (AsyncpgDBClient, "execute_query_dict"),
    ):
        monkeypatch.setattr(client, name, noted(getattr(client, name)))
    return sent
