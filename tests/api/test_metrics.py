import asyncio
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request

from api.metrics import Metrics
from community.database import journal
from realtime.broker import MemoryBroker
from realtime.head import Follower
from schema.watching import Watching


def metrics_of(watching: Watching | None = None) -> Metrics:
    broker = MemoryBroker()
    follower = Follower(journal.head, journal.signals_after, broker.hear)
    return Metrics(watching or Watching.through(broker), follower)


async def shown(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Values by name and labels."""
    response = await metrics.show(Request({"type": "http"}))
    assert response.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(bytes(response.body).decode())
        for sample in family.samples
    }


async def test_watchers_and_moments_are_those_of_the_process(house: Any) -> None:
    metrics = metrics_of(house.watching)
    assert (await shown(metrics))["meilin_watchers",] == 0
    async with house.watching.tally.watch(house.town.key("Vote", "open")) as states:
        await anext(states)
        found = await shown(metrics)
    assert (found["meilin_watchers",], found["meilin_moments_total",]) == (1, 1)
    assert (await shown(metrics))["meilin_watchers",] == 0


async def test_the_lag_is_what_this_process_has_not_looked_at(house: Any) -> None:
    metrics, head = metrics_of(), await journal.head()
    assert (await shown(metrics))["meilin_journal_head",] == head
    metrics._follower.seen = head - 2
    assert (await shown(metrics))["meilin_journal_lag",] == 2


async def test_deeds_are_counted_by_their_end(house: Any) -> None:
    before = await shown(metrics_of())
    publish = "mutation($c: ID!, $n: NoticeInput!) { publishNotice(communityId: $c, notice: $n) { id } }"
    notice = {"title": "今晚停水", "body": "请存水"}
    await house.ask(publish, "spring/manager", c=house.town.id("Community", "spring"), n=notice)
    after = await shown(metrics_of())
    assert after["meilin_deeds_total", "committed"] == before["meilin_deeds_total", "committed"] + 1
    assert after["meilin_deeds_total", "undone"] == before["meilin_deeds_total", "undone"]


async def test_connections_at_rest_are_never_more_than_there_are(house: Any) -> None:
    found = await shown(metrics_of())
    assert 0 < found["meilin_database_connections_free",] <= found["meilin_database_connections",]


async def test_a_task_is_counted_as_long_as_it_runs(house: Any) -> None:
    metrics, end = metrics_of(), asyncio.Event()
    before = (await shown(metrics))["meilin_tasks",]
    task = asyncio.create_task(end.wait())
    assert (await shown(metrics))["meilin_tasks",] == before + 1
    end.set()
    await task
    assert (await shown(metrics))["meilin_tasks",] == before


async def test_two_apps_in_one_process_count_apart(house: Any) -> None:
    first, second = metrics_of(), metrics_of()
    first.errors.labels("VOTE_CLOSED").inc()
    assert (await shown(first))["meilin_errors_total", "VOTE_CLOSED"] == 1
    assert ("meilin_errors_total", "VOTE_CLOSED") not in await shown(second)
