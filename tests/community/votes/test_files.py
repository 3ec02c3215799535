import json
import os
from pathlib import Path
from threading import Thread

import pytest

from community.places.rules import DeliveryStatus, UnitKind
from community.votes import files, strict_json
from community.votes.files import BadVoteFile, FileBallot, parse, read
from community.votes.roll import RollUnit
from community.votes.rules import CountingRules, FollowMajority, Matter, Option, Silence

UNIT = {"unit": "1-101", "owners": ["甲"], "area": "89.50"}
VOTE = {"title": "更换物业", "matter": "ENGAGE_PROVIDER", "units": [UNIT]}


def written(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def refusal(data: bytes) -> BadVoteFile:
    with pytest.raises(BadVoteFile) as caught:
        parse(data)
    return caught.value


def location_of(**changed: object) -> str:
    return refusal(written(VOTE | changed)).location


def test_a_bare_file_takes_the_defaults() -> None:
    vote = parse(written(VOTE))
    unit = RollUnit("1-101", frozenset({"甲"}), 8950, UnitKind.DWELLING, DeliveryStatus.DELIVERED)
    assert vote == files.VoteFile("更换物业", Matter.ENGAGE_PROVIDER, CountingRules(), (unit,), (), ())


def test_a_full_file_is_read_whole() -> None:
    full = VOTE | {
        "rules": {
            "parkingCounts": True,
            "followMajority": "ABSTAIN",
            "silence": "FOLLOW_MAJORITY",
            "silenceFloor": True,
        },
        "units": [
            {"unit": "P1+2", "owners": ["乙", "甲"], "area": "0.01", "kind": "PARKING", "status": "UNSOLD"}
        ],
        "ballots": [{"by": "甲+乙", "choice": "FOLLOW"}],
        "served": ["甲"],
        "expect": {"outcome": "PENDING", "anything": [1, None, {"at": True}]},
    }
    vote = parse(written(full))
    assert vote.rules == CountingRules(True, FollowMajority.ABSTAIN, Silence.FOLLOW_MAJORITY, True)
    assert vote.units[0].owner == frozenset({"甲", "乙"})
    assert (vote.units[0].area, vote.units[0].kind) == (1, UnitKind.PARKING)
    assert vote.ballots == (FileBallot("甲+乙", Option.FOLLOW),)
    assert vote.served == ("甲",)


@pytest.mark.parametrize(
    ("changed", "location"),
    [
        ({"extra": 1}, "extra"),
        ({"two words\n": 1}, r"'two words\n'"),
        ({"\ud800": 1}, r"'\ud800'"),
        ({"title": 7}, "title"),
        ({"title": None}, "title"),
        ({"title": "\udc00"}, "title"),
        ({"matter": "USE_FUNDS"}, "matter"),
        ({"matter": "use_fund"}, "matter"),
        ({"matter": ["USE_FUND"]}, "matter"),
        ({"rules": []}, "rules"),
        ({"rules": None}, "rules"),
        ({"rules": {"floor": True}}, "rules.floor"),
        ({"rules": {"parkingCounts": 1}}, "rules.parkingCounts"),
        ({"rules": {"parkingCounts": "true"}}, "rules.parkingCounts"),
        ({"rules": {"silenceFloor": None}}, "rules.silenceFloor"),
        ({"rules": {"silence": "FOLLOW"}}, "rules.silence"),
        ({"rules": {"followMajority": False}}, "rules.followMajority"),
        ({"units": []}, "units"),
        ({"units": {}}, "units"),
        ({"units": [UNIT, UNIT]}, "units[1].unit"),
        ({"units": ["1-101"]}, "units[0]"),
        ({"units": [UNIT | {"floor": "1"}]}, "units[0].floor"),
        ({"ballots": None}, "ballots"),
        ({"ballots": {}}, "ballots"),
        ({"ballots": [[]]}, "ballots[0]"),
        ({"ballots": [{"by": "甲"}]}, "ballots[0].choice"),
        ({"ballots": [{"choice": "FOR"}]}, "ballots[0].by"),
        ({"ballots": [{"by": "甲", "choice": "YES"}]}, "ballots[0].choice"),
        ({"ballots": [{"by": 1, "choice": "FOR"}]}, "ballots[0].by"),
        ({"ballots": [{"by": "", "choice": "FOR"}]}, "ballots[0].by"),
        ({"ballots": [{"by": "甲+", "choice": "FOR"}]}, "ballots[0].by"),
        ({"ballots": [{"by": "甲 +乙", "choice": "FOR"}]}, "ballots[0].by"),
        ({"ballots": [{"by": "甲", "choice": "FOR", "at": "8:00"}]}, "ballots[0].at"),
        ({"served": "甲"}, "served"),
        ({"served": ["甲", 2]}, "served[1]"),
    ],
)
def test_the_location_at_fault_is_named(changed: dict[str, object], location: str) -> None:
    assert refusal(json.dumps(VOTE | changed).encode()).location == location


@pytest.mark.parametrize(
    ("changed", "location"),
    [
        ({"unit": ""}, "unit"),
        ({"unit": 101}, "unit"),
        ({"unit": "x" * 101}, "unit"),
        ({"unit": " 1"}, "unit"),
        ({"owners": "甲"}, "owners"),
        ({"owners": []}, "owners"),
        ({"owners": ["甲", None]}, "owners[1]"),
        ({"owners": ["甲", "甲"]}, "owners[1]"),
        ({"owners": ["甲+乙"]}, "owners[0]"),
        ({"owners": [""]}, "owners[0]"),
        ({"owners": ["x" * 101]}, "owners[0]"),
        ({"owners": ["甲 "]}, "owners[0]"),
        ({"owners": ["\u3000甲"]}, "owners[0]"),
        ({"owners": ["\ud83d"]}, "owners[0]"),
        ({"kind": "FLAT"}, "kind"),
        ({"kind": None}, "kind"),
        ({"status": "SOLD"}, "status"),
    ],
)
def test_the_location_at_fault_within_a_unit_is_named(changed: dict[str, object], location: str) -> None:
    data = json.dumps(VOTE | {"units": [UNIT | {"unit": "1-102"}, UNIT | changed]}).encode()
    assert refusal(data).location == f"units[1].{location}"


@pytest.mark.parametrize(
    "area",
    ["0.00", "1", "1.0", "1.000", "01.00", "-1.00", "+1.00", "1,00", ".50", "10000000.00", "1e2", " 1.00",
     "1.00\n", "١.٠٠", "１.００", "", 1, 89, True, None, ["1.00"]],
)  # fmt: skip
def test_areas_are_positive_amounts_with_two_decimals(area: object) -> None:
    assert location_of(units=[UNIT | {"area": area}]) == "units[0].area"


@pytest.mark.parametrize(("area", "hundredths"), [("0.01", 1), ("10.20", 1020), ("9999999.99", 999_999_999)])
def test_areas_are_read_in_hundredths(area: str, hundredths: int) -> None:
    assert parse(written(VOTE | {"units": [UNIT | {"area": area}]})).units[0].area == hundredths


@pytest.mark.parametrize("key", ["title", "matter", "units"])
def test_a_missing_key_is_named(key: str) -> None:
    error = refusal(written({other: value for other, value in VOTE.items() if other != key}))
    assert (error.location, error.reason) == (key, "is missing")


@pytest.mark.parametrize("key", ["unit", "owners", "area"])
def test_a_missing_key_of_a_unit_is_named(key: str) -> None:
    assert location_of(units=[{k: v for k, v in UNIT.items() if k != key}]) == f"units[0].{key}"


def test_names_of_a_hundred_characters_are_the_longest() -> None:
    names = ["x" * 100, "业" * 100, "𠮷" * 100, "a b"]
    assert parse(written(VOTE | {"units": [UNIT | {"owners": names}]})).units[0].owner == frozenset(names)


ALIKE = [("\u00e9", "e\u0301"), ("\uac00", "\u1100\u1161"), ("甲 乙", "甲\u00a0乙"), ("\u8c48", "\uf900")]


@pytest.mark.parametrize(("one", "other"), [*ALIKE, *(pair[::-1] for pair in ALIKE)])
def test_names_that_look_the_same_are_one_written_in_two_ways(one: str, other: str) -> None:
    two = {"unit": "1-102", "owners": [other], "area": "1.00"}
    first = UNIT | {"owners": [one]}
    for wrong, location in (
        ({"units": [UNIT | {"owners": [one, other]}]}, "units[0].owners[1]"),
        ({"units": [first, two]}, "units[1].owners[0]"),
        ({"units": [first], "ballots": [{"by": other, "choice": "FOR"}]}, "ballots[0].by"),
        ({"units": [first], "ballots": [{"by": f"{one}+{other}", "choice": "FOR"}]}, "ballots[0].by"),
        ({"units": [first], "served": ["乙", other]}, "served[1]"),
        ({"ballots": [{"by": one, "choice": "FOR"}, {"by": other, "choice": "FOR"}]}, "ballots[1].by"),
        ({"units": [UNIT | {"unit": one}, two | {"unit": other}]}, "units[1].unit"),
    ):
        found = refusal(written(VOTE | wrong))
        assert found.location == location
        assert "looks the same" in found.reason
    same = [first, two | {"owners": [one]}]
    assert len(parse(written(VOTE | {"units": same, "served": [one, one]})).units) == 2


@pytest.mark.parametrize(
    "sign",
    ["\u200b", "\u200d", "\u2060", "\ufeff", "\u202e", "\u200e", "\u00ad", "\u3164", "\ufe0f", "\U000e0100",
     "\x00", "\t", "\n", "\x85", "\ufdd0", "\uffff", "\u2800"],
)  # fmt: skip
def test_a_name_with_what_nobody_sees_is_refused_even_alone(sign: str) -> None:
    for name in (f"甲{sign}乙", f"👨{sign}👩"):
        for wrong, location in (
            ({"units": [UNIT | {"owners": [name]}]}, "units[0].owners[0]"),
            ({"units": [UNIT | {"unit": name}]}, "units[0].unit"),
            ({"ballots": [{"by": name, "choice": "FOR"}]}, "ballots[0].by"),
            ({"ballots": [{"by": f"甲+{name}", "choice": "FOR"}]}, "ballots[0].by"),
            ({"served": [name]}, "served[0]"),
        ):
            found = refusal(written(VOTE | wrong))
            assert found.location == location
            assert f"U+{ord(sign):04X}" in found.reason
    assert location_of(**{f"units{sign}": []}).startswith("'units")


@pytest.mark.parametrize("number", ["1.5", "1e5", "1E5", "-0.0", "NaN", "Infinity", "-Infinity", "1" * 5000])
@pytest.mark.parametrize("location", ["title", "units[0].area", "expect.at[1].x"])
def test_numbers_that_computers_read_differently_are_refused_everywhere(number: str, location: str) -> None:
    text = {
        "title": written(VOTE).replace('"更换物业"'.encode(), number.encode()),
        "units[0].area": written(VOTE).replace(b'"89.50"', number.encode()),
        "expect.at[1].x": written(VOTE | {"expect": {"at": [0, {"x": "?"}]}}).replace(
            b'"?"', number.encode()
        ),
    }
    assert refusal(text[location]).location == location


@pytest.mark.parametrize(
    ("old", "new", "location"),
    [
        (b'"title"', b'"matter": "USE_FUND", "title"', "matter"),
        (b'"area"', b'"unit": "1-101", "area"', "units[0].unit"),
        (b'"title"', b'"expect": {"a": [{"b": 1, "b": 1}]}, "title"', "expect.a[0].b"),
        (b'"title"', b'"rules": {"silence": "ABSENT", "sil\\u0065nce": "ABSENT"}, "title"', "rules.silence"),
    ],
)
def test_a_key_given_twice_is_refused_at_any_depth(old: bytes, new: bytes, location: str) -> None:
    error = refusal(written(VOTE).replace(old, new, 1))
    assert (error.location, error.reason) == (location, "the key is given twice")


@pytest.mark.parametrize("data", [b"[]", b'"vote"', b"null", b"true", b"7", b"1.5", b'{"a": {}, "a": {}}'])
def test_what_is_no_vote_at_all_is_refused(data: bytes) -> None:
    assert refusal(data).location in {"the file", "a"}


@pytest.mark.parametrize(
    ("data", "location"),
    [
        (b"", "line 1, column 1"),
        (b"vote", "line 1, column 1"),
        (b"{'title': 1}", "line 1, column 2"),
        (b'{"a": 1,\n "b": 2,}', "line 2, column 9"),
        (b'{"a": 1} {}', "line 1, column 10"),
        (b'{"a": "\n"}', "line 1, column 8"),
        (b'{"a": 01}', "line 1, column 8"),
        (b"]]]]", "line 1, column 1"),
        (b'{"a": "\\', "line 1, column 7"),
        (b"\xef\xbb\xbf{}", "line 1, column 1"),
        (b'{"a":\n"\xff"}', "line 2"),
        ('{"a": 1}'.encode("utf-16"), "line 1"),
        (b'{"a": "\xed\xa0\x80"}', "line 1"),
    ],
)
def test_what_is_not_json_is_refused_by_line(data: bytes, location: str) -> None:
    assert refusal(data).location == location


@pytest.mark.parametrize("cut", range(0, len(written(VOTE)) - 1, 7))
def test_a_file_cut_off_anywhere_is_refused(cut: int) -> None:
    refusal(written(VOTE)[:cut])


def test_nesting_is_limited_to_thirty_two() -> None:
    def nested(depth: int) -> bytes:
        return written(VOTE | {"expect": "?"}).replace(b'"?"', b"[" * depth + b"]" * depth)

    assert parse(nested(31)).title == "更换物业"
    assert refusal(nested(32)).reason == "nested deeper than 32"


@pytest.mark.parametrize("bracket", [b"[", b'{"a":'])
def test_bottomless_nesting_is_refused_where_it_becomes_too_deep(bracket: bytes) -> None:
    error = refusal(b"\n" + bracket * 100_000)
    assert error.location == f"line 2, column {32 * len(bracket) + 1}"


def test_brackets_within_strings_nest_nothing() -> None:
    title = '[[{"' * 50 + "\\" * 3
    assert parse(written(VOTE | {"title": title})).title == title


def test_a_string_of_quotes_without_end_is_refused_in_no_time() -> None:
    refusal(b'{"title": "' + b'\\"' * 2_000_000)


def test_a_file_made_of_brackets_is_refused_before_it_fills_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(strict_json, "MOST_CONTAINERS", 1000)
    assert refusal(b"[" + b"[]," * 1000).location == "line 1, column 2999"


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere.json", tmp_path / ("x" * 300)):
        with pytest.raises(BadVoteFile, match="the file: cannot be read"):
            read(path)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(200 * 2**20)
    with pytest.raises(BadVoteFile, match="the file: larger than 64 MiB"):
        read(huge)


def test_a_pipe_is_read_no_further_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST", 1000)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=lambda: pipe.write_bytes(b" " * 1001))
    writer.start()
    with pytest.raises(BadVoteFile, match="larger than"):
        read(pipe)
    writer.join()


def test_a_refusal_repeats_no_name() -> None:
    error = refusal(written(VOTE | {"ballots": [{"by": " 张三", "choice": "FOR"}]}))
    assert "张三" not in error.en + error.zh
    assert error.zh.startswith("表决文件有误，ballots[0].by")
