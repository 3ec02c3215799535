"""Words that people type, taken in clean: in one form, of bounded length, and such that a reader sees all
that is there, where it stands.

One rule for every text: at least one visible character; nothing unseen, and nothing that covers or turns
round what stands beside it. Unseen characters stay only where they make a visible one: in an emoji, behind an
ideograph, and behind a letter of a script that joins its letters. Direction marks are refused even beside
Arabic and Hebrew, which turn by themselves: unseen, they would turn the numbers next to them.
"""

import re
import unicodedata

from community.errors import InvalidInput

HIGHEST_STACK = 6
"""Marks upon one letter; more of them grow over the lines above and below."""

_NO_CHARACTERS = "\ud800-\udfff\ufdd0-\ufdef" + "".join(
    chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF)
)
_CONTROLS = "\x00-\x1f\x7f-\x9f\u2028\u2029"
_SHAPELESS = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc\U00013430-\U0001343f\U00016fe4\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
"""What Unicode lets a reader ignore (Default_Ignorable_Code_Point), and what else has no shape of its own:
fillers, annotations, what only says how others are put together, the blank of Braille."""

_UNSEEN = f"[{_CONTROLS}{_SHAPELESS}{_NO_CHARACTERS}]"

_PICTURE = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u27bf\u2900-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001faff]"
)
_EMOJI = f"{_PICTURE}[\ufe0e\ufe0f]?[\U0001f3fb-\U0001f3ff]?"
_IDEOGRAPH = "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd]"
_JOINING = (  # Arabic and what is written like it, the scripts of India and its neighbours, Mongolian
    f"(?!{_UNSEEN})[\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff\u1800-\u18af\ua840-\ua8ff\ua980-\uaa7f"
    "\U00010a00-\U00010fff\U00011000-\U00011fff\U0001e900-\U0001e95f]"
)
_MADE_VISIBLE = (
    "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f",  # the flag of a region
    f"{_EMOJI}(?:\u200d{_EMOJI})*",
    "[0-9#*]\ufe0f\u20e3",  # a key cap
    f"{_IDEOGRAPH}[\ufe00-\ufe02\U000e0100-\U000e01ef]",
    "[\u1820-\u18af][\u180b-\u180d\u180f]",
    f"{_JOINING}[\u200c\u200d]",
)
_JOINERS = "\u200c\u200d"

_unseen = re.compile(_UNSEEN)
_made_or_unseen = re.compile(f"{'|'.join(_MADE_VISIBLE)}|({_UNSEEN})")
_plain = re.compile("[ -~\n]*")


class Hidden(InvalidInput):
    """A text that does not show what is in it."""

    def __init__(self, sign: str, name_zh: str, name_en: str, field: str | None = None) -> None:
        code = f"U+{ord(sign):04X}"
        super().__init__(
            problem_zh=f"{name_zh}里有看不见、或者会遮住、打乱旁边文字的字符（{code}），请删去",
            problem_en=f"{name_en} contains {code}, which is unseen, or hides or turns round what is near it",
            field=field,
        )


def single_line(text: str, most: int, name_zh: str, name_en: str, *, field: str | None = None) -> str:
    """One line of 1 to `most` characters. Raises InvalidInput that names the text, and its `field`."""
    return _checked(text, most, name_zh, name_en, field, lines=False)


def body(
    text: str,
    most: int,
    name_zh: str,
    name_en: str,
    *,
    may_be_empty: bool = False,
    field: str | None = None,
) -> str:
    """Text with line breaks, of at most `most` characters. Raises InvalidInput like `single_line`."""
    if may_be_empty and not text.strip():
        return ""
    return _checked(text, most, name_zh, name_en, field, lines=True)


def single_line_if_any(
    text: str | None, most: int, name_zh: str, name_en: str, *, field: str | None = None
) -> str | None:
    """Like `single_line`; None for nothing or blanks."""
    return single_line(text, most, name_zh, name_en, field=field) if text and text.strip() else None


def body_if_any(
    text: str | None, most: int, name_zh: str, name_en: str, *, field: str | None = None
) -> str | None:
    """Like `body`; None for nothing or blanks."""
    return body(text, most, name_zh, name_en, field=field) if text and text.strip() else None


def _checked(text: str, most: int, name_zh: str, name_en: str, field: str | None, *, lines: bool) -> str:
    text = text.strip()
    if not text:
        raise InvalidInput(problem_zh=f"{name_zh}不能为空", problem_en=f"{name_en} is empty", field=field)
    if len(text) <= 4 * most:  # one character is never composed of more; what is longer costs nothing
        text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\t", " "))
    if len(text) > most:
        raise InvalidInput(
            problem_zh=f"{name_zh}最多 {most} 个字，现在有 {len(text)} 个",
            problem_en=f"{name_en} has at most {most} characters, this has {len(text)}",
            field=field,
        )
    if not _unseen.sub("", text).strip():
        raise InvalidInput(
            problem_zh=f"{name_zh}里没有看得见的字",
            problem_en=f"{name_en} has no visible character",
            field=field,
        )
    sign = hidden_in(text)
    if sign is None and not lines and "\n" in text:
        sign = "\n"
    if sign is not None:
        raise Hidden(sign, name_zh, name_en, field)
    return text


def hidden_in(text: str) -> str | None:
    """The first character of a text with line breaks that hides, covers or turns round something."""
    if _plain.fullmatch(text):
        return None
    for found in _made_or_unseen.finditer(text):
        if found[1] and found[1] != "\n":
            return found[1]
    return _overgrowing(text)


def _overgrowing(text: str) -> str | None:
    """The mark that stands too high, or upon nothing: it would go upon what a page shows before the text."""
    height = HIGHEST_STACK
    for sign in text:
        if unicodedata.category(sign)[0] == "M":
            height += 1
            if height > HIGHEST_STACK:
                return sign
        elif sign == "\n":
            height = HIGHEST_STACK
        elif sign not in _JOINERS:
            height = 0
    return None


# Names that are compared


def unseen_in(name: str) -> str | None:
    """The first character of a name that no reader sees; in an emoji, too: a name is what it looks like."""
    found = _unseen.search(name)
    return found[0] if found else None


def as_seen(name: str) -> str:
    """Equal for two names that look the same: in one form, without what is unseen, all blanks alike."""
    return re.sub(r"\s", " ", _unseen.sub("", unicodedata.normalize("NFC", name)))


def as_read(name: str) -> str:
    """Equal for two names that a reader takes for the same: of any case, width and number of blanks."""
    seen = re.sub(r" +", " ", as_seen(unicodedata.normalize("NFKC", name))).strip()
    return unicodedata.normalize("NFKC", seen.casefold())
