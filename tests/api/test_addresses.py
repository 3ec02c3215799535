import pytest

from api.addresses import Address, Kind, parse
from schema.nodes import to_id

ONE = {
    "/": Address(Kind.HOME),
    "/c/spring": Address(Kind.BULLETIN, "spring"),
    "/c/春风里": Address(Kind.BULLETIN, "春风里"),
    "/c/spring/v/12": Address(Kind.VOTE, "spring", 12),
    "/c/spring/e/1": Address(Kind.EVENT, "spring", 1),
    "/c/spring/n/2147483647": Address(Kind.NOTICE, "spring", 2_147_483_647),
    "/c/spring/l/45": Address(Kind.ENTRY, "spring", 45),
    "/c/spring/ledger": Address(Kind.LEDGER, "spring"),
    "/c/spring/publish": Address(Kind.PUBLISH, "spring"),
    "/c/v/v/3": Address(Kind.VOTE, "v", 3),
}


@pytest.mark.parametrize("path", ONE)
def test_an_address_is_read_and_written_alike(path: str) -> None:
    assert parse(path) == ONE[path]
    assert ONE[path].path == path.replace("春风里", "%E6%98%A5%E9%A3%8E%E9%87%8C")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("//", "/"),
        ("/C//spring/", "/c/spring"),
        ("/c/spring/V/12/", "/c/spring/v/12"),
        ("/c/a/LEDGER", "/c/a/ledger"),
    ],
)
def test_slashes_too_many_and_large_letters_do_not_matter(typed: str, meant: str) -> None:
    found = parse(typed)
    assert found
    assert found.path == meant


@pytest.mark.parametrize("where", ["votes", "events", "notices", "Votes"])
@pytest.mark.parametrize(
    ("type_name", "kind"), [("Vote", Kind.VOTE), ("Event", Kind.EVENT), ("Notice", Kind.NOTICE)]
)
def test_an_id_says_itself_what_it_is_of(where: str, type_name: str, kind: Kind) -> None:
    assert parse(f"/c/x/{where}/{to_id(type_name, 7)}") == Address(kind, "x", key=7)


@pytest.mark.parametrize(
    "path",
    [
        "/x", "/c", "/C/", "/d/spring", "/c/spring/votes", "/c/spring/v", "/c/spring/v/", "/c/spring/v/0",
        "/c/spring/v/-1", "/c/spring/v/012", "/c/spring/v/1e3", "/c/spring/v/１２", "/c/spring/v/2147483648",
        "/c/spring/v/" + "9" * 5000, "/c/spring/v/1/2", "/c/spring/votes/12", "/c/spring/votes/%3D",
        "/c/spring/votes/" + to_id("Question", 1), "/c/spring/votes/" + to_id("Community", 1),
        "/c/spring/votes/" + to_id("Event", 1).rstrip("="), "/c/spring/ledger/2026", "/c/spring/x", "/c/\x00",
        "/c/a\nb", "/c/\ufffd\udcff", "/c/" + "x" * 65, "/c/spring/" + "a/" * 5000,
    ],
)  # fmt: skip
def test_where_nothing_can_be_meant_there_is_nothing(path: str) -> None:
    assert parse(path) is None


@pytest.mark.parametrize(
    ("query", "month"),
    [("", ""), ("month=", ""), ("month=2026-05", "2026-05"), ("from=x&month=2026-05", "2026-05"),
     ("month=2026-05&month=2026-13", "2026-05"), ("Month=2026-13", ""), ("%", "")],
)  # fmt: skip
def test_a_ledger_is_of_a_month(query: str, month: str) -> None:
    found = parse("/c/spring/ledger", query)
    assert found == Address(Kind.LEDGER, "spring", month=month)
    assert found.whole == "/c/spring/ledger" + (f"?month={month}" if month else "")


@pytest.mark.parametrize(
    "month", ["2026-13", "2026-00", "2026-1", "2026", "0000-01", "9999-12x", "%00", "２０２６-05", "x"]
)
def test_what_is_no_month_is_nothing(month: str) -> None:
    assert parse("/c/spring/ledger", f"month={month}") is None
    assert parse("/c/spring/v/1", f"month={month}") == Address(Kind.VOTE, "spring", 1), "of a ledger only"


def test_a_query_beyond_all_measure_costs_nothing() -> None:
    assert parse("/c/spring/ledger", "&".join(["a=1"] * 10_000)) is None
