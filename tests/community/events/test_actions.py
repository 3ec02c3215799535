import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError

from community.bulletin.reads import items_page
from community.errors import Forbidden, InvalidInput, KeyReused, NotFound, Unauthenticated
from community.events.actions import (
    RecordedSignUp,
    cancel_sign_up,
    correct_event,
    publish_event,
    record_sign_ups,
    sign_up,
)
from community.events.models import Event, SignUp
from community.events.reads import (
    EventCorrectionRow,
    attendance_of,
    event_corrections_of,
    event_row,
    organizers_of,
    sign_ups_by_id,
    sign_ups_of,
)
from community.events.rules import AlreadySignedUp, EventBegun, EventFull, EventOver
from community.members.actions import add_co_owners
from community.members.reads import homes_of
from community.permissions import NOBODY, SYSTEM, Person, Role
from community.places.rules import OrganizationKind
from community.signals import Signal
from tests.facts import written

DAY = timedelta(days=1)


def festival(now: datetime, **changed: Any) -> dict[str, Any]:
    return {
        "title": " 美城美邻节 ",
        "description": "每家一道拿手菜。\r\n节目自编自演。",
        "place": "中心花园",
        "starts_at": now + DAY,
        "ends_at": now + DAY + timedelta(hours=3),
        "sign_up_closes_at": None,
        "capacity": 10,
        "max_party_size": 6,
        "potluck": True,
    } | changed


async def signed_up(event: int) -> int:
    attendance = await attendance_of(event)
    assert attendance is not None
    return attendance.signed_up


async def test_the_committee_publishes_an_event_in_its_own_name(
    estate: Any, now: datetime, told: list[Signal]
) -> None:
    event = await publish_event(estate.chair, now, estate.community, **festival(now))

    row = await Event.get(id=event)
    assert (row.title, row.description) == ("美城美邻节", "每家一道拿手菜。\n节目自编自演。")
    assert row.sign_up_closes_at == row.starts_at
    assert await organizers_of([event]) == {event: [estate.committee]}
    (item,) = (await items_page(estate.community, 10)).rows
    assert (item.kind, item.subject, item.at) == ("EVENT_PUBLISHED", event, now)
    assert told == [Signal("bulletin", estate.community), Signal("board", estate.community)]


async def test_several_organize_together_if_the_publisher_is_among_them(estate: Any, now: datetime) -> None:
    both = [estate.service, estate.committee]
    event = await publish_event(estate.chair, now, estate.community, **festival(now), organizers=both)
    assert await organizers_of([event]) == {event: both}
    with pytest.raises(InvalidInput, match="in the name of others"):
        await publish_event(estate.chair, now, estate.community, **festival(now), organizers=[estate.service])


async def test_the_operator_has_no_organization_and_must_name_one(estate: Any, now: datetime) -> None:
    with pytest.raises(InvalidInput, match="in whose name"):
        await publish_event(SYSTEM, now, estate.community, **festival(now))
    event = await publish_event(SYSTEM, now, estate.community, **festival(now), organizers=[estate.service])
    assert await organizers_of([event]) == {event: [estate.service]}


async def test_an_organization_of_elsewhere_or_of_the_past_organizes_nothing(
    estate: Any, build: Any, now: datetime
) -> None:
    elsewhere = await build.organization(await build.community(), OrganizationKind.OWNERS_COMMITTEE)
    past = await build.organization(estate.community, OrganizationKind.OWNERS_COMMITTEE, until=now)
    for organizer in (elsewhere, past):
        with pytest.raises(InvalidInput, match="not one of the community"):
            await publish_event(
                SYSTEM, now, estate.community, **festival(now), organizers=[estate.committee, organizer]
            )


async def test_the_same_key_gives_the_first_event_again(
    estate: Any, build: Any, now: datetime, told: list[Signal]
) -> None:
    first = await publish_event(estate.chair, now, estate.community, **festival(now), key="k")
    told.clear()
    assert await publish_event(estate.chair, now, estate.community, **festival(now), key="k") == first
    assert not told
    assert await Event.all().count() == 1

    elsewhere = await build.community()
    committee = await build.organization(elsewhere, OrganizationKind.OWNERS_COMMITTEE)
    await build.role(estate.chair.account, elsewhere, Role.COMMITTEE, committee)
    both = await build.viewer(estate.chair.account)
    with pytest.raises(KeyReused):
        await publish_event(both, now, elsewhere, **festival(now), key="k")


async def test_a_retry_beside_its_first_try_publishes_once(estate: Any, now: datetime) -> None:
    tries = (publish_event(estate.chair, now, estate.community, **festival(now), key="k") for _ in range(5))
    assert len(set(await asyncio.gather(*tries))) == 1
    assert await Event.all().count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": " "},
        {"title": "节" * 121},
        {"title": "a\nb"},
        {"place": ""},
        {"description": "\x00"},
        {"capacity": 0},
        {"max_party_size": 21},
    ],
)
async def test_a_wrong_event_is_not_published(
    estate: Any, now: datetime, wrong: dict[str, Any], told: list[Signal]
) -> None:
    with pytest.raises(InvalidInput):
        await publish_event(estate.chair, now, estate.community, **festival(now, **wrong))
    assert await Event.all().count() == 0
    assert await written() == 0
    assert not told


async def test_residents_and_strangers_publish_nothing(estate: Any, now: datetime) -> None:
    for viewer, refusal in (
        (estate.owner, Forbidden),
        (estate.tenant, Forbidden),
        (estate.stranger, NotFound),
    ):
        with pytest.raises(refusal):
            await publish_event(viewer, now, estate.community, **festival(now))
    with pytest.raises(Unauthenticated):
        await publish_event(NOBODY, now, estate.community, **festival(now))
    with pytest.raises(NotFound):
        await publish_event(estate.chair, now, 1, **festival(now))
    assert await Event.all().count() == 0


@pytest.fixture
async def event(estate: Any, now: datetime) -> int:
    return await publish_event(estate.chair, now, estate.community, **festival(now))


async def test_a_household_signs_up_with_its_dish(
    estate: Any, event: int, now: datetime, told: list[Signal]
) -> None:
    told.clear()
    made = await sign_up(estate.tenant, now, event, party_size=3, dish=" 红烧鱼 ")

    row = (await sign_ups_of(estate.tenant.account, [event], now))[event]
    assert (row.id, row.party_size, row.dish, row.signed_up_at) == (made, 3, "红烧鱼", now)
    assert await signed_up(event) == 3
    assert told == [Signal("attendance", event), Signal("board", estate.community)]


async def test_a_second_sign_up_is_refused_as_such_even_when_the_event_is_full(
    estate: Any, event: int, now: datetime, told: list[Signal]
) -> None:
    await sign_up(estate.owner, now, event, party_size=6)
    await sign_up(estate.neighbour, now, event, party_size=4)
    told.clear()
    with pytest.raises(AlreadySignedUp):
        await sign_up(estate.owner, now, event, party_size=1)
    with pytest.raises(EventFull, match="0 left"):
        await sign_up(estate.tenant, now, event, party_size=1)
    assert await signed_up(event) == 10
    assert not told


async def test_the_same_key_gives_the_first_sign_up_again(estate: Any, event: int, now: datetime) -> None:
    first = await sign_up(estate.owner, now, event, party_size=2, key="k")
    assert await sign_up(estate.owner, now, event, party_size=2, key="k") == first
    assert await sign_up(estate.neighbour, now, event, party_size=2, key="k") != first
    assert await signed_up(event) == 4
    other = await publish_event(estate.chair, now, estate.community, **festival(now))
    with pytest.raises(KeyReused):
        await sign_up(estate.owner, now, other, party_size=2, key="k")


async def test_a_retry_beside_its_first_try_gives_one_sign_up(estate: Any, event: int, now: datetime) -> None:
    tries = (sign_up(estate.owner, now, event, party_size=2, key="k") for _ in range(5))
    assert len(set(await asyncio.gather(*tries))) == 1
    assert await signed_up(event) == 2


async def test_who_may_not_sign_up(estate: Any, build: Any, event: int, now: datetime) -> None:
    with pytest.raises(NotFound):
        await sign_up(estate.stranger, now, event, party_size=1)
    clerk = await build.staff(estate.community, Role.CLERK, None)
    with pytest.raises(Forbidden):
        await sign_up(clerk, now, event, party_size=1)
    with pytest.raises(Unauthenticated):
        await sign_up(NOBODY, now, event, party_size=1)
    with pytest.raises(NotFound):
        await sign_up(estate.owner, now, 1, party_size=1)


async def test_signing_up_ends(estate: Any, now: datetime) -> None:
    closing = festival(now, sign_up_closes_at=now + timedelta(hours=1))
    event = await publish_event(estate.chair, now, estate.community, **closing)
    with pytest.raises(EventOver):
        await sign_up(estate.owner, now + timedelta(hours=1), event, party_size=1)
    await sign_up(estate.owner, now + timedelta(minutes=59), event, party_size=1)


async def test_no_dish_where_nobody_brings_one(estate: Any, now: datetime) -> None:
    event = await publish_event(estate.chair, now, estate.community, **festival(now, potluck=False))
    with pytest.raises(InvalidInput, match="dish"):
        await sign_up(estate.owner, now, event, party_size=1, dish="鱼")
    await sign_up(estate.owner, now, event, party_size=1, dish=" ")


async def test_cancelling_frees_the_places_and_keeps_the_row(
    estate: Any, event: int, now: datetime, told: list[Signal]
) -> None:
    made = await sign_up(estate.owner, now, event, party_size=6)
    told.clear()
    assert await cancel_sign_up(estate.owner, now + DAY / 2, made) == made
    assert await signed_up(event) == 0
    assert told == [Signal("attendance", event), Signal("board", estate.community)]
    row = (await sign_ups_by_id(estate.owner.account, [made], now))[made]
    assert (row.cancelled_at, row.party_size) == (now + DAY / 2, 6)
    assert await sign_ups_of(estate.owner.account, [event], now) == {}

    again = await sign_up(estate.owner, now, event, party_size=2)
    assert again != made
    assert await signed_up(event) == 2


async def test_only_ones_own_standing_sign_up_is_cancelled(estate: Any, event: int, now: datetime) -> None:
    made = await sign_up(estate.owner, now, event, party_size=2)
    with pytest.raises(NotFound):
        await cancel_sign_up(estate.neighbour, now, made)
    with pytest.raises(NotFound):
        await cancel_sign_up(estate.owner, now, 1)
    with pytest.raises(EventBegun):
        await cancel_sign_up(estate.owner, now + DAY, made)
    assert await signed_up(event) == 2
    await cancel_sign_up(estate.owner, now, made)
    with pytest.raises(NotFound):
        await cancel_sign_up(estate.owner, now, made)
    assert await signed_up(event) == 0


async def test_a_sign_up_cancelled_twice_at_once_frees_its_places_once(
    estate: Any, event: int, now: datetime
) -> None:
    await sign_up(estate.neighbour, now, event, party_size=3)
    made = await sign_up(estate.owner, now, event, party_size=2)
    twice = (cancel_sign_up(estate.owner, now, made) for _ in range(4))
    outcomes = await asyncio.gather(*twice, return_exceptions=True)
    assert outcomes.count(made) == 1
    assert sum(isinstance(outcome, NotFound) for outcome in outcomes) == 3
    assert await signed_up(event) == 3


async def test_fifty_at_once_never_take_more_places_than_there_are_and_none_is_lost(
    estate: Any, build: Any, now: datetime, told: list[Signal]
) -> None:
    event = await publish_event(estate.chair, now, estate.community, **festival(now, capacity=37))
    parties = [(await build.owner(estate.community), 1 + index % 3) for index in range(50)]
    told.clear()
    outcomes = await asyncio.gather(
        *(sign_up(viewer, now, event, party_size=size) for viewer, size in parties), return_exceptions=True
    )

    done = [isinstance(outcome, int) for outcome in outcomes]
    taken = [size for (_, size), made in zip(parties, done, strict=True) if made]
    refused = [size for (_, size), made in zip(parties, done, strict=True) if not made]
    assert all(made or isinstance(outcome, EventFull) for made, outcome in zip(done, outcomes, strict=True))
    assert sum(taken) <= 37 < sum(taken) + min(refused)  # and whoever fitted was let in
    standing = await SignUp.filter(event_id=event, cancelled_at=None).values_list("party_size", flat=True)
    assert sorted(standing) == sorted(taken)
    assert await signed_up(event) == sum(taken)
    assert told.count(Signal("attendance", event)) == len(taken)


async def test_the_database_itself_holds_the_places(
    estate: Any, event: int, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the rule were asleep."""
    monkeypatch.setattr("community.events.actions.check_sign_up", lambda *_, **__: None)
    await sign_up(estate.owner, now, event, party_size=6)
    with pytest.raises(Exception, match="event_capacity"):
        await sign_up(estate.neighbour, now, event, party_size=5)
    assert await signed_up(event) == 6


# Households


@pytest.fixture
async def couple(estate: Any, build: Any, now: datetime) -> tuple[Person, Person]:
    """Two accounts of one owner party, which holds one flat."""
    first = await build.account()
    flat = await build.unit(estate.community, estate.building)
    party = await build.party(estate.community, first, flat)
    second = await build.account()
    await add_co_owners(SYSTEM, now - 10 * DAY, party, [second])
    return await build.viewer(first), await build.viewer(second)


async def test_two_co_owners_take_the_places_of_one_household(
    couple: tuple[Person, Person], event: int, now: datetime
) -> None:
    first, second = couple
    made = await sign_up(first, now, event, party_size=6)
    with pytest.raises(AlreadySignedUp, match="household"):
        await sign_up(second, now, event, party_size=4)
    assert await signed_up(event) == 6
    row = (await sign_ups_of(second.account, [event], now))[event]
    assert (row.id, row.party_size, row.own) == (made, 6, False)
    assert (await sign_ups_of(first.account, [event], now))[event].own


async def test_of_two_co_owners_at_once_one_signs_up(
    couple: tuple[Person, Person], event: int, now: datetime, told: list[Signal]
) -> None:
    told.clear()
    tries = [sign_up(viewer, now, event, party_size=5) for viewer in couple * 3]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(outcome, int) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, AlreadySignedUp) for outcome in outcomes) == 5
    assert await signed_up(event) == 5
    assert [signal.topic for signal in told] == ["attendance", "board"]


async def test_the_database_itself_holds_one_sign_up_a_household(
    couple: tuple[Person, Person], event: int, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the rule were asleep."""
    monkeypatch.setattr("community.events.actions.check_sign_up", lambda *_, **__: None)
    await sign_up(couple[0], now, event, party_size=1)
    with pytest.raises(Exception, match=r"sign_up_household|sign_up\.household_id"):
        await sign_up(couple[1], now, event, party_size=1)
    assert await signed_up(event) == 1


async def test_any_of_a_household_gives_its_places_back(
    estate: Any, couple: tuple[Person, Person], event: int, now: datetime
) -> None:
    first, second = couple
    made = await sign_up(first, now, event, party_size=2)
    for other in (estate.owner, estate.tenant, estate.chair):
        with pytest.raises(NotFound):
            await cancel_sign_up(other, now, made)
    assert await cancel_sign_up(second, now, made, key="c") == made
    assert await cancel_sign_up(second, now, made, key="c") == made
    assert await signed_up(event) == 0
    assert (await sign_ups_by_id(first.account, [made], now))[made].cancelled_at == now
    await sign_up(second, now, event, party_size=3)
    assert await signed_up(event) == 3


async def test_of_a_flat_that_is_let_its_owners_are_one_household_and_its_tenants_another(
    estate: Any, build: Any, couple: tuple[Person, Person], event: int, now: datetime
) -> None:
    """Neither sees the sign-up of the other."""
    first, second = couple
    (home,) = (await homes_of([first.account], estate.community, now)).values()
    lodgers = [await build.tenant(estate.community, home.unit) for _ in range(2)]
    for one, other in ((first, second), (lodgers[1], lodgers[0])):
        made = await sign_up(one, now, event, party_size=2)
        assert (await SignUp.get(id=made).values("household_id"))["household_id"] == home.unit
        with pytest.raises(AlreadySignedUp):
            await sign_up(other, now, event, party_size=1)
        assert (await sign_ups_of(other.account, [event], now))[event].id == made
    assert await signed_up(event) == 4


async def test_who_has_no_home_signs_up_for_oneself(estate: Any, event: int, now: datetime) -> None:
    for viewer in (estate.chair, estate.manager):
        made = await sign_up(viewer, now, event, party_size=1)
        assert (await SignUp.get(id=made).values("household_id"))["household_id"] is None
        with pytest.raises(AlreadySignedUp):
            await sign_up(viewer, now, event, party_size=1)
    made = await sign_up(estate.tenant, now, event, party_size=1)
    assert (await SignUp.get(id=made).values("household_id"))["household_id"] == estate.unit
    assert await signed_up(event) == 3


async def test_what_was_found_twice_in_a_flat_stands_and_no_third_is_taken(
    couple: tuple[Person, Person], event: int, now: datetime
) -> None:
    first, second = couple
    made = await sign_up(first, now, event, party_size=2)
    unit = (await SignUp.get(id=made).values("household_id"))["household_id"]
    twice = await SignUp.create(
        event_id=event, account_id=second.account, household_id=unit, party_size=3, signed_up_at=now,
        doubled=True,
    )  # fmt: skip
    assert await signed_up(event) == 5
    await cancel_sign_up(first, now, made)
    with pytest.raises(AlreadySignedUp):
        await sign_up(first, now, event, party_size=1)
    await cancel_sign_up(first, now, int(twice.id))
    await sign_up(first, now, event, party_size=1)
    assert await signed_up(event) == 1


async def test_sign_ups_that_were_written_down_are_of_a_household_each_and_never_two_of_one(
    estate: Any, couple: tuple[Person, Person], event: int, now: datetime
) -> None:
    first, second = couple
    listed = [RecordedSignUp(who.account, 2, None, now) for who in (first, estate.tenant, estate.chair)]
    await record_sign_ups(SYSTEM, now, event, listed)
    rows = await SignUp.filter(event_id=event).values("account_id", "household_id", "rented")
    (home,) = (await homes_of([first.account], estate.community, now)).values()
    assert {row["account_id"]: (row["household_id"], row["rented"]) for row in rows} == {
        first.account: (home.unit, False),
        estate.tenant.account: (estate.unit, True),
        estate.chair.account: (None, False),
    }
    more = [RecordedSignUp(who.account, 1, None, now) for who in (estate.manager, second)]
    with pytest.raises(IntegrityError):
        await record_sign_ups(SYSTEM, now, event, more)
    assert await signed_up(event) == 6


# Corrections


async def test_the_words_of_an_event_are_corrected_and_its_numbers_stay(
    estate: Any, now: datetime, told: list[Signal]
) -> None:
    event = await publish_event(estate.chair, now, estate.community, **festival(now))
    await sign_up(estate.owner, now, event, party_size=2)
    before, at = await event_row(event), now + timedelta(hours=1)
    told.clear()
    assert (
        await correct_event(estate.chair, at, event, place=" 北广场 ", description="", reason="下雨") == event
    )
    row = await event_row(event)
    assert row == before._replace(place="北广场", description="", corrected_at=at)
    assert await event_corrections_of([event]) == {
        event: [
            EventCorrectionRow(
                event, before.title, before.description, before.place, now, at, estate.committee, "下雨"
            )
        ]
    }
    (item, _) = (await items_page(estate.community, 10)).rows
    assert (item.kind, item.subject, item.at) == ("EVENT_CORRECTED", event, at)
    assert told == [Signal("bulletin", estate.community), Signal("board", estate.community)]


async def test_each_organizer_corrects_an_event_and_nobody_else(estate: Any, now: datetime) -> None:
    both = (estate.service, estate.committee)
    event = await publish_event(estate.chair, now, estate.community, **festival(now), organizers=both)
    await correct_event(estate.chair, now, event, title="邻里节")
    (first,) = (await event_corrections_of([event]))[event]
    assert first.organization == estate.committee
    alone = await publish_event(estate.manager, now, estate.community, **festival(now))
    with pytest.raises(InvalidInput, match="only the organization that signed"):
        await correct_event(estate.chair, now, alone, title="邻里节")
    with pytest.raises(Forbidden):
        await correct_event(estate.owner, now, alone, title="邻里节")
    with pytest.raises(NotFound):
        await correct_event(estate.stranger, now, alone, title="邻里节")
    await correct_event(SYSTEM, now, alone, title="邻里节")
    (mended,) = (await event_corrections_of([alone]))[alone]
    assert mended.organization == estate.service


async def test_an_event_is_corrected_once_a_key_and_never_to_what_it_says(estate: Any, now: datetime) -> None:
    event = await publish_event(estate.chair, now, estate.community, **festival(now))
    for same in ({}, {"place": "中心花园 "}):
        with pytest.raises(InvalidInput, match="says so already"):
            await correct_event(estate.chair, now, event, **same)
    for _ in range(2):
        await correct_event(estate.chair, now, event, place="北广场", key="k")
    with pytest.raises(KeyReused):
        await correct_event(estate.chair, now, event, place="南广场", key="k")
    assert len((await event_corrections_of([event]))[event]) == 1
