import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.clock import Clock
from api.kept import KeptAnswers
from api.metrics import SHARED, Metrics
from api.timers import Timers
from community.database import journal
from community.permissions import NOBODY
from community.signals import Signal
from community.votes.facts import TALLY
from realtime.audience import Audience
from realtime.broker import MemoryBroker
from realtime.fields import SubscribeRequest
from realtime.groups import Groups
from realtime.pacing import WritePacer
from realtime.poller import JournalPoller
from realtime.sources import LiveSources
from schema.schema import graphql_schema
from tests.engines import METRICS_TOKEN, TRUSTED
from tests.facts import written


class NoSockets:
    open = 0

    def __len__(self) -> int:
        return 0


def metrics_of(sources: LiveSources | None = None) -> Metrics:
    broker = MemoryBroker()
    metrics = Metrics(JournalPoller(broker.dispatch))
    metrics.observe(sources or LiveSources(broker), Groups(WritePacer()), NoSockets())
    return metrics


async def shown(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Values by name and labels."""
    response = await metrics.show()
    assert response.headers["content-type"].startswith("text/plain")
    return values(bytes(response.body).decode())


def values(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def scraped(server: Any, until: dict[tuple[str, ...], float]) -> dict[tuple[str, ...], float]:
    """What it shows as soon as it shows that: of other processes it knows what they said last."""
    async with asyncio.timeout(20):
        while not until.items() <= (found := values(server.metrics())).items():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return found


async def test_moments_and_merged_changes_are_those_of_the_process(house: Any) -> None:
    sources, vote = LiveSources(MemoryBroker()), house.town.key("Vote", "open")
    metrics = metrics_of(sources)
    async with sources.watch(TALLY, vote) as states:
        await anext(states)
        for _ in range(3):
            sources.handle(Signal("tally", vote))
        found = await shown(metrics)
    assert (found["meilin_moments_total",], found["meilin_merged_changes_total",]) == (1, 2)


async def test_deliveries_are_counted_and_timed(house: Any) -> None:
    metrics = metrics_of()
    metrics.delivered(5, 0.02)
    metrics.delivered(7, 0.03)
    found = await shown(metrics)
    assert found["meilin_live_messages_total",] == 12
    assert found["meilin_live_delivery_seconds_count",] == 2


async def test_the_lag_is_what_this_process_has_not_looked_at(house: Any) -> None:
    metrics, head = metrics_of(), await written()
    assert (await shown(metrics))["meilin_journal_head",] == head
    city = await journal.head(None)
    metrics._poller.seen = await journal.heads() | {None: city - 2}
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


async def test_what_is_at_hand_is_shown_while_the_database_is_away(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics, head = metrics_of(), await written()
    await shown(metrics)

    async def away() -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr(journal, "heads", away)
    metrics.errors.labels("TRY_AGAIN").inc()
    found = await shown(metrics)
    assert (found["meilin_errors_total", "TRY_AGAIN"], found["meilin_journal_head",]) == (1, head)


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer x",
        f"Bearer {METRICS_TOKEN}x",
        METRICS_TOKEN,
        f"Basic {METRICS_TOKEN}",
        "é",
    ],
)
def test_without_its_token_nobody_sees_what_hidden_communities_do(
    server: Any, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"authorization": authorization.encode()}
    response = server.client.get("/metrics", headers=headers)
    assert (response.status_code, response.text) == (401, "")
    assert response.headers["www-authenticate"].startswith("Bearer")


def test_the_token_of_an_account_is_none_for_metrics(server: Any) -> None:
    headers = server.bearer("spring/committee")
    assert server.client.get("/metrics", headers=headers).status_code == 401
    headers = {"authorization": f"bearer  {METRICS_TOKEN}"}
    assert server.client.get("/metrics", headers=headers).status_code == 200


def test_without_the_setting_there_are_no_metrics(serve: Any, tmp_path: Path) -> None:
    with serve(tmp_path, MEILIN_METRICS_TOKEN="") as server:
        for headers in ({}, TRUSTED, {"authorization": "Bearer"}):
            response = server.client.get("/metrics", headers=headers)
            assert (response.status_code, response.text) == (404, "Not Found\n")


PROGRESS = "subscription($id: ID!) { voteProgress(voteId: $id) { version } }"
PUBLISH = "mutation($c: ID!, $n: NoticeInput!) { publishNotice(communityId: $c, notice: $n) { id } }"


@pytest.mark.xdist_group("app")
async def test_one_scrape_tells_of_every_process_and_not_of_the_dead(serve: Any, tmp_path: Path) -> None:
    """Two processes over one folder, as the workers of one server are."""
    for name in ("shared", "one", "other"):
        (tmp_path / name).mkdir()
    folder = {SHARED: str(tmp_path / "shared")}
    with serve(tmp_path / "one", **folder) as one, serve(tmp_path / "other", **folder) as other:
        notice = {"title": "今晚停水", "body": "请存水"}
        for server in (one, one, other):
            server.post(PUBLISH, "spring/manager", c=server.town.id("Community", "spring"), n=notice)
            server.client.get("/nowhere")
        async with other.socket() as there, one.socket() as here:
            for socket in (here, there):
                await socket.subscribe("a", PROGRESS, id=one.town.id("Vote", "open"))
                await socket.receive()
            counted = {
                ("meilin_http_requests_total", "404"): 3.0,
                ("meilin_deeds_total", "committed"): 3.0,
                ("meilin_moments_total",): 2.0,
            }
            both = [await scraped(server, counted | {("meilin_watchers",): 2.0}) for server in (one, other)]
            assert both[0]["meilin_http_request_seconds_count",] >= 6
            connections = both[1]["meilin_database_connections",]

            other.process.kill()
            other.process.wait()
            alone = await scraped(one, counted | {("meilin_watchers",): 1.0})
            assert 0 < alone["meilin_database_connections",] < connections
            assert len(list((tmp_path / "shared").glob("gauge_livesum_*"))) == 1


async def test_it_tells_of_a_clock_in_doubt_and_of_what_was_given_up(house: Any) -> None:
    metrics, clock, timers = metrics_of(), Clock(), Timers()
    metrics.observe_clock(clock, timers)
    clock.compare(clock.time_of_day(), clock.unset())
    before = await shown(metrics)
    assert (before["meilin_clock_unsettled",], before["meilin_due_given_up",]) == (0, 0)
    clock.compare(clock.time_of_day() + 3600, clock.unset())
    timers.given_up, timers.overdue = Counter(open_vote=1, operator_mail=1), 3
    after = await shown(metrics)
    assert (after["meilin_clock_unsettled",], after["meilin_due_given_up",]) == (1, 2)
    assert after["meilin_due_overdue",] == 3


async def test_it_tells_how_answers_that_many_share_came(house: Any) -> None:
    metrics, poller = metrics_of(), JournalPoller(house.broker.dispatch)
    kept = KeptAnswers(graphql_schema, house.sources, poller.versions, most_bytes=100_000, most_cost=1e9)
    metrics.observe_answers(kept)
    found = await shown(metrics)
    assert {found["meilin_answers_total", how] for how in ("hit", "joined", "missed")} == {0}
    assert found["meilin_kept_answers_bytes",] == 0
    request = SubscribeRequest("{ errorCodes }", None, None)
    for _ in range(3):
        await kept.answer(request, Audience.EVERYBODY, NOBODY, house.now)
    found = await shown(metrics)
    assert [found["meilin_answers_total", how] for how in ("hit", "joined", "missed")] == [2, 0, 1]
    assert found["meilin_kept_answers_bytes",] == kept.size > 0


@pytest.mark.usefixtures("house")
async def test_a_look_that_fails_does_not_end_the_looking(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Another worker would tell of this one for ever what was true then."""
    monkeypatch.setattr("api.metrics.EVERY", 0.001)
    metrics, looks, seen = metrics_of(), 0, asyncio.Event()

    def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise LookupError
        seen.set()

    metrics._looks.append(look)
    task = asyncio.create_task(metrics.keep_looking())
    async with asyncio.timeout(20):
        await seen.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [record.message for record in caplog.records] == ["could not look at the metrics"]
