import pytest

from community.errors import InvalidInput
from community.text import body, line, line_if_any


def test_what_is_typed_is_trimmed() -> None:
    assert line("  美邻节 \n", 10, "标题", "the title") == "美邻节"
    assert body("\n one\r\ntwo \n", 10, "正文", "the text") == "one\ntwo"
    assert line_if_any(" 鱼 ", 10, "菜名", "the dish") == "鱼"


def test_length_is_counted_in_characters() -> None:
    assert line("邻" * 10, 10, "标题", "the title") == "邻" * 10
    with pytest.raises(InvalidInput, match="at most 10"):
        line("邻" * 11, 10, "标题", "the title")
    with pytest.raises(InvalidInput, match="at most 10"):
        body("邻" * 11, 10, "正文", "the text")


@pytest.mark.parametrize("blank", ["", "  ", "\n\t"])
def test_nothing_is_refused_unless_it_may_be(blank: str) -> None:
    for read in (line, body):
        with pytest.raises(InvalidInput) as refused:
            read(blank, 10, "标题", "the title")
        assert refused.value.zh == "填写有误：标题不能为空"
    assert body(blank, 10, "说明", "the description", may_be_empty=True) == ""
    assert line_if_any(blank, 10, "菜名", "the dish") is None
    assert line_if_any(None, 10, "菜名", "the dish") is None


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\x7f", "\x85", "\t", "\r", "\u2028", "\ud800"])
def test_control_characters_are_refused(sign: str) -> None:
    for read in (line, body, line_if_any):
        with pytest.raises(InvalidInput, match="control characters"):
            read(f"a{sign}b", 10, "标题", "the title")


def test_only_a_body_has_several_lines() -> None:
    assert body("a\n\nb", 10, "正文", "the text") == "a\n\nb"
    with pytest.raises(InvalidInput):
        line("a\nb", 10, "标题", "the title")


def test_emoji_joined_of_several_are_ordinary_characters() -> None:
    assert line("👨‍👩‍👧 美邻节", 10, "标题", "the title") == "👨‍👩‍👧 美邻节"
