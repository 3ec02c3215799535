"""Words that people type, taken in clean: trimmed, of bounded length, without control characters."""

import unicodedata

from community.errors import InvalidInput

_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Control characters, halves of characters, and line breaks that look like nothing."""


def line(text: str, most: int, field_zh: str, field_en: str) -> str:
    """One line of 1 to `most` characters. Raises InvalidInput that names the field."""
    return _checked(text.strip(), most, field_zh, field_en, allowed="")


def body(text: str, most: int, field_zh: str, field_en: str, *, may_be_empty: bool = False) -> str:
    """Text with line breaks, of at most `most` characters. Raises InvalidInput that names the field."""
    clean = text.replace("\r\n", "\n").strip()
    if may_be_empty and not clean:
        return ""
    return _checked(clean, most, field_zh, field_en, allowed="\n")


def line_if_any(text: str | None, most: int, field_zh: str, field_en: str) -> str | None:
    """Like `line`; None for nothing or blanks."""
    return line(text, most, field_zh, field_en) if text and text.strip() else None


def _checked(text: str, most: int, field_zh: str, field_en: str, allowed: str) -> str:
    if not text:
        raise InvalidInput(problem_zh=f"{field_zh}不能为空", problem_en=f"{field_en} is empty")
    if len(text) > most:
        raise InvalidInput(
            problem_zh=f"{field_zh}最多 {most} 个字", problem_en=f"{field_en} has at most {most} characters"
        )
    if any(unicodedata.category(sign) in _UNSEEN and sign not in allowed for sign in text):
        raise InvalidInput(
            problem_zh=f"{field_zh}里有不能用的控制字符",
            problem_en=f"{field_en} contains control characters",
        )
    return text
