import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community.errors import InvalidInput
from community.text import (
    Hidden,
    as_seen,
    body,
    body_if_any,
    hidden_in,
    single_line,
    single_line_if_any,
    unseen_in,
)

READERS: list[Callable[..., str | None]] = [single_line, body, single_line_if_any, body_if_any]


def refused(read: Callable[..., str | None], text: str) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read(text, 60, "标题", "the title", field="title")
    assert caught.value.field == "title"
    assert "标题" in caught.value.zh
    assert "the title" in caught.value.en
    return caught.value


def test_what_is_typed_is_trimmed() -> None:
    assert single_line("  美邻节 \n", 10, "标题", "the title") == "美邻节"
    assert body("\n one\r\ntwo \n", 10, "正文", "the text") == "one\ntwo"
    assert single_line_if_any(" 鱼 ", 10, "菜名", "the dish") == "鱼"
    assert body_if_any(" 鱼\r\n肉 ", 10, "菜名", "the dish") == "鱼\n肉"


def test_what_is_typed_is_kept_in_one_form() -> None:
    for read in READERS:
        assert read("Cafe\u0301", 4, "标题", "the title") == "Caf\u00e9"


def test_a_tab_of_a_pasted_table_becomes_a_space() -> None:
    for read in READERS:
        assert read("\t水泵\t2 台\t", 10, "事由", "the item") == "水泵 2 台"


def test_length_is_counted_in_characters() -> None:
    assert single_line("邻" * 10, 10, "标题", "the title") == "邻" * 10
    for read in READERS:
        for much in (11, 41, 100_000):
            with pytest.raises(InvalidInput, match=f"at most 10 characters, this has {much}"):
                read("邻" * much, 10, "标题", "the title")


COUNTED = json.loads(
    (Path(__file__).parents[2] / "frontend/src/lib/format/counted.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(("text", "characters"), COUNTED)
def test_a_counter_on_the_page_counts_as_we_do(text: str, characters: int) -> None:
    """The page tries the same list."""
    if characters > 1:
        with pytest.raises(InvalidInput, match=f"this has {characters}$"):
            body(text, characters - 1, "正文", "the text")
    assert len(body(text, characters, "正文", "the text", may_be_empty=True)) == characters


@pytest.mark.parametrize("blank", ["", "  ", "\n\t", "\u3000\u00a0"])
def test_nothing_is_refused_unless_it_may_be(blank: str) -> None:
    for read in (single_line, body):
        assert refused(read, blank).zh == "填写有误：标题不能为空"
    assert body(blank, 10, "说明", "the description", may_be_empty=True) == ""
    assert single_line_if_any(blank, 10, "菜名", "the dish") is None
    assert body_if_any(blank, 10, "文字", "the text") is None
    assert single_line_if_any(None, 10, "菜名", "the dish") is None


@pytest.mark.parametrize(
    "sign",
    [
        "\u200b",
        "\u200e",
        "\u2060",
        "\ufeff",
        "\u00ad",
        "\u3164",
        "\u115f",
        "\u2800",
        "\u202e",
        "\U000e0041",
        "\ufe0f",
    ],
)
def test_a_text_of_unseen_characters_only_is_none(sign: str) -> None:
    for read in READERS:
        for text in (sign, sign * 9, f" {sign} "):
            assert "no visible character" in refused(read, text).en


HIDING = {
    "control": "\x00\x01\x1b\x7f\x85\u0090\u2028\u2029",
    "half of a pair": "\ud800\udfff",
    "direction": "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u206a\u206f",
    "no width": "\u200b\u2060\u2061\u2064\ufeff\u00ad\u034f\u180e",
    "filler": "\u115f\u1160\u3164\uffa0\u17b4\u17b5\u2800\U00016fe4\U0001d159",
    "joiner of nothing": "\u200c\u200d",
    "variation of nothing": "\ufe00\ufe0e\ufe0f\U000e0100\u180b",
    "tag": "\U000e0001\U000e0020\U000e0067\U000e007f",
    "annotation": "\ufff9\ufffa\ufffb\ufffc",
    "layout": "\U00013430\U00013436\U00013438\U0001343f",
    "music": "\U0001d173\U0001d17a",
    "no character": "\ufdd0\ufdef\ufffe\uffff\U0001fffe\U0010ffff",
    "unassigned, but ignorable": "\u2065\ufff0\U000e0fff",
}


@pytest.mark.parametrize("kind", HIDING)
def test_what_hides_or_turns_round_is_refused_wherever_it_stands(kind: str) -> None:
    for sign in HIDING[kind]:
        for text in (f"收入：{sign}12345", f"a{sign}b", f"{'' if sign.isspace() else sign}，甲{sign}。"):
            for read in READERS:
                found = refused(read, text)
                assert isinstance(found, Hidden)
                code = f"U+{ord(sign):04X}"
                assert code in found.zh
                assert code in found.en


def test_a_direction_mark_is_refused_beside_arabic_and_hebrew_too() -> None:
    for text in ("שלום\u200f 12345", "\u200eمرحبا", "مرحبا\u061c12"):
        refused(single_line, text)


def test_a_pile_of_marks_covers_its_neighbours() -> None:
    assert single_line("z" + "\u0337" * 6, 60, "标题", "the title")
    for text in ("z" + "\u0337" * 7, "\u0338甲", "甲\n\u0338乙", "ب" + ("\u064b" * 3 + "\u200c") * 4):
        refused(body, text)


def test_only_a_body_has_several_lines() -> None:
    assert body("a\n\nb", 10, "正文", "the text") == "a\n\nb"
    for text in ("a\nb", "a\r\nb", "a\rb"):
        refused(single_line, text)
    refused(body, "a\rb")


@pytest.mark.parametrize(
    "text",
    [
        "👨‍👩‍👧 美邻节", "❤️‍🔥", "👩🏽‍⚕️ 义诊", "🏳️‍🌈", "🏴‍☠️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿 看球", "🇨🇳 国庆", "1️⃣ 号楼", "☎︎ 热线",
        "©️", "☀️☔️", "👁️‍🗨️",
        "مرحبا بالجيران", "می‌خواهم", "ه‍", "שָׁלוֹם", "क्‍ष", "ශ්‍රී ලංකා", "ᠮᠣᠩᠭᠣᠯ", "ᠠ᠋", "สวัสดีครับ", "ཧཱུྃ",
        "Tiếng Việt", "葛󠄀城", "𰻞𰻞面", "㐂", "\ue863", "中 · 文　字", "① ½ ㎡", "\U000323b0",
    ],
)  # fmt: skip
def test_what_people_write_is_taken_as_it_is(text: str) -> None:
    for read in READERS:
        assert read(text, 60, "标题", "the title") == unicodedata.normalize("NFC", text)


@given(st.text(max_size=80))
def test_what_was_taken_is_taken_again_unchanged_and_is_seen(text: str) -> None:
    for read in READERS:
        try:
            taken = read(text, 60, "标题", "the title")
        except InvalidInput:
            continue
        if taken is not None:
            assert read(taken, 60, "标题", "the title") == taken
            assert as_seen(taken).strip()
            assert hidden_in(taken) is None
            assert (
                not {unicodedata.category(sign) for sign in taken} & {"Cc", "Cs", "Zl", "Zp"} or "\n" in taken
            )


@pytest.mark.parametrize(
    "sign", ["\u200b", "\u200d", "\ufe0f", "\u202e", "\t", "\x00", "\u3164", "\ufffe", "\U000e0100"]
)
def test_a_name_is_what_it_looks_like(sign: str) -> None:
    assert unseen_in(f"甲{sign}") == sign
    assert as_seen(f"甲{sign}") == as_seen("甲") == "甲"
    assert unseen_in("甲 乙") is None
    assert as_seen("Cafe\u0301") == as_seen("Caf\u00e9")
    assert as_seen("甲\u00a0乙") == as_seen("甲 乙") != as_seen("甲乙")
