"""Databases on both engines: whoever asks for one runs twice, as [sqlite] and as [postgres-redis]."""

from collections.abc import Iterator

import pytest
from tortoise.backends.base.executor import EXECUTOR_CACHE

from tests.engines import Engine
from tests.services import Postgres, Redis, running, running_postgres


@pytest.fixture(autouse=True)
def _no_words_of_the_other_engine() -> None:
    """Tortoise keeps its statements by table, in the words of the engine it spoke to first."""
    EXECUTOR_CACHE.clear()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A PostgreSQL of this test run's own, gone with it."""
    with running_postgres() as postgres:
        yield postgres


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with running(Redis(tmp_path_factory.mktemp("redis"))) as redis:
        yield redis


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_redis(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: Postgres, redis_server: Redis
) -> Engine:
    return Engine(tmp_path_factory.mktemp("postgres"), postgres_server.url, redis_server.url)


@pytest.fixture(scope="session", params=["sqlite", "postgres-redis"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each in turn."""
    found: Engine = request.getfixturevalue(request.param.replace("-", "_"))
    return found


@pytest.fixture
def new_url(engine: Engine) -> Iterator[str]:
    """The address of a database that nobody has migrated."""
    with engine.lent() as url:
        yield url
