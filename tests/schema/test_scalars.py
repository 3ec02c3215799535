from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community.errors import InvalidInput
from schema.scalars import amount_text, instant_text, parse_amount, parse_day, parse_instant


@given(st.integers(-(10**14), 10**14))
def test_an_amount_is_the_same_after_a_round_trip(value: int) -> None:
    assert parse_amount(amount_text(value)) == value


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (214_560, "2145.60"), (-100, "-1.00")]
)
def test_an_amount_has_exactly_two_decimals(value: int, text: str) -> None:
    assert amount_text(value) == text


@pytest.mark.parametrize(
    "wrong",
    [
        "1",
        "1.0",
        "1.000",
        "01.00",
        ".50",
        "+1.00",
        "1,00",
        "1e2",
        " 1.00",
        "1.00\n",
        "１.00",
        "",
        1,
        1.5,
        None,
    ],
)
def test_nothing_else_is_an_amount(wrong: object) -> None:
    with pytest.raises(InvalidInput):
        parse_amount(wrong)


instants = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC))


@given(instants)
def test_an_instant_goes_out_in_utc_with_z_and_comes_back(instant: datetime) -> None:
    text = instant_text(instant)
    assert text.endswith("Z")
    assert abs(parse_instant(text) - instant) < timedelta(milliseconds=1)


def test_an_instant_of_another_offset_is_the_same_instant() -> None:
    noon = datetime(2026, 1, 31, 19, 30, tzinfo=timezone(timedelta(hours=8)))
    assert parse_instant("2026-01-31T19:30:00+08:00") == noon
    assert instant_text(noon) == "2026-01-31T11:30:00.000Z"


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("2026-01-31T19:30Z", 0),
        ("2026-01-31T19:30:00Z", 0),
        ("2026-01-31T19:30:00.5Z", 500_000),
        ("2026-01-31T19:30:00.123456Z", 123_456),
        ("2026-01-31T19:30:00.1234567Z", 123_456),
        ("2026-01-31T19:30:00.999999999Z", 999_999),
        ("2026-01-31t19:30:00.000000001z", 0),
        ("2026-01-31T19:30:00." + "1" * 50_000 + "Z", 111_111),
        ("2026-02-01 03:30:00.123456789+08:00", 123_456),
    ],
)
def test_any_number_of_digits_behind_the_second_is_cut_to_microseconds(text: str, micros: int) -> None:
    assert parse_instant(text) == datetime(2026, 1, 31, 19, 30, 0, micros, tzinfo=UTC)


@pytest.mark.parametrize(
    "wrong",
    [
        "2026-01-31T19:30:00",  # whose clock?
        "2026-01-31T19:30:00.Z",
        "2026-01-31T19:30.5Z",
        "2026-01-31T19:30:00,5Z",
        "2026-01-31T19:30:00.５Z",
        "2026-01-31",
        "2026-02-30T00:00:00Z",
        "2026-01-31T25:00:00Z",
        "2026-01-31T19:30:00+01:60",
        "2026-01-31T19:30:00-01:99",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999999Z",
        "20260131T193000Z",
        1_769_859_000,
        None,
    ],
)
def test_nothing_else_is_an_instant(wrong: object) -> None:
    with pytest.raises(InvalidInput):
        parse_instant(wrong)


@pytest.mark.parametrize(
    "wrong", ["2026-2-3", "2026-02-30", "20260203", "2026-02-03Z", "２026-02-03", 3, None]
)
def test_nothing_else_is_a_day(wrong: object) -> None:
    with pytest.raises(InvalidInput):
        parse_day(wrong)


RECORD = """mutation($community: ID!, $entry: EntryInput!) {
  recordEntry(communityId: $community, entry: $entry) { amount balance date recordedAt }
}"""
BALANCE = '{ community(slug: "spring") { ledger { balance } } }'


async def test_amounts_days_and_instants_pass_through_the_schema(house: Any) -> None:
    entry = {
        "date": "2026-01-31", "direction": "INCOME", "category": "INTEREST", "item": "利息", "amount": "0.07"
    }  # fmt: skip
    community = house.town.id("Community", "spring")
    recorded = (await house.ask(RECORD, "spring/manager", community=community, entry=entry))["recordEntry"]
    assert recorded == {
        "amount": "0.07", "balance": "0.07", "date": "2026-01-31", "recordedAt": instant_text(house.now)
    }  # fmt: skip
    assert (await house.ask(BALANCE))["community"]["ledger"] == {"balance": "1645.67"}

    for wrong in ({"amount": "7"}, {"amount": 0.07}, {"date": "31.1.2026"}):
        code = await house.refused(RECORD, "spring/manager", community=community, entry=entry | wrong)
        assert code == "INVALID_INPUT"


PUBLISH = """mutation($c: ID!, $e: EventInput!) {
  publishEvent(communityId: $c, event: $e) { title startsAt endsAt } }"""
COMING = '{ community(slug: "spring") { events { edges { node { title startsAt endsAt } } } } }'


@pytest.mark.parametrize(
    "ends", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999998Z", "9999-12-31T23:59:59.999999Z"]
)
async def test_an_event_at_the_end_of_all_time_hides_no_other(house: Any, ends: str) -> None:
    before = (await house.ask(COMING))["community"]["events"]["edges"]
    event = {"title": "长跑", "place": "花园", "startsAt": "9999-12-31T00:00:00Z", "endsAt": ends}
    community = house.town.id("Community", "spring")
    result = await house.result(PUBLISH, "spring/committee", c=community, e=event)
    after = [edge["node"] for edge in (await house.ask(COMING))["community"]["events"]["edges"]]
    assert [node for node in after if node["title"] != "长跑"] == [edge["node"] for edge in before]
    assert [node for node in after if node["title"] == "长跑"] == (
        [] if result.errors else [result.data["publishEvent"]]
    )
    assert bool(result.errors) == ends.endswith(".999999Z")
