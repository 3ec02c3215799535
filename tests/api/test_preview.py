"""What a link says: true, short, in one of two languages, and nothing that breaks out of its place."""

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from api.addresses import Address, Kind
from api.finding import Found
from api.preview import LONGEST, Language, head_of, language_of, plain, preview_of
from community.bulletin.reads import NoticeRow
from community.bulletin.rules import NoticeKind
from community.events.reads import EventRow
from community.places.reads import CommunityRow
from community.places.rules import Profile
from community.votes.casting import QuestionKind, VoteForm
from community.votes.lifecycle import VoteStep
from community.votes.progress import DayTurnout, Progress, QuestionProgress
from community.votes.reads import VoteRow
from community.votes.rules import Outcome, Silence, Tally, Weight

NOW = datetime(2026, 10, 10, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
NEXT_YEAR = datetime(2027, 1, 4, 16, tzinfo=UTC)
"""Midnight in Hangzhou."""

SPRING = CommunityRow(
    1, "spring", "春风里", "萧山区", 1670, None, None, True, Profile(1, public_reading=True)
)
VOTE = VoteRow(
    1, 1, 12, 1, "换水泵", "", VoteForm.STATUTORY_LOCAL, 1, None, 1, False, None, Silence.ABSENT, False,
    False, NOW - 20 * DAY, NOW - 2 * DAY, datetime(2026, 10, 16, 16, tzinfo=UTC), VoteStep.OPENED, 2, 1,
)  # fmt: skip
EVENT = EventRow(
    1, 1, 3, "百家宴", "", "中心花园", NOW + 2 * DAY, NOW + 3 * DAY, NOW + 2 * DAY, 80, 6, True, 53, 1
)
NOTICE = NoticeRow(1, 1, 4, 1, NoticeKind.NOTICE, "停水", "明早九点起，\n请提前\t储水。", None, None, NOW)


def progress(*outcomes: Outcome | None) -> Progress:
    none = Weight(0, 0)
    questions = [
        QuestionProgress(index, QuestionKind.RESOLUTION, 1, Tally(outcome, none, none, none, None, {}, ()))
        for index, outcome in enumerate(outcomes)
    ]
    days = (DayTurnout(NOW.date(), 1163),)
    return Progress(1, 1, Weight(1670, 1), Weight(1163, 1), NOW, days, tuple(questions))


def found(thing: Any, kind: Kind, sums: Progress | None = None) -> Found:
    return Found(Address(kind, "spring", 12), community=SPRING, thing=thing, progress=sums)


def said(what: Found, language: Language = "zh") -> str:
    return preview_of(what, language, NOW).description


OVER = VOTE._replace(closes_at=NOW - DAY, last_step=VoteStep.COUNTED)


@pytest.mark.parametrize(
    ("vote", "sums", "zh", "en"),
    [
        (
            VOTE, progress(Outcome.PENDING), "已有 1,163 户投票，共 1,670 户。10 月 16 日 24:00 截止。",
            "1,163 of 1,670 households have voted. Closes 16 Oct, 24:00.",
        ),
        (
            VOTE._replace(opens_at=NEXT_YEAR, closes_at=NEXT_YEAR + 27 * DAY),
            progress(Outcome.PENDING), "2027 年 1 月 5 日 00:00 开始表决，2027 年 1 月 31 日 24:00 截止。",
            "Voting opens 5 Jan 2027, 00:00 and closes 31 Jan 2027, 24:00.",
        ),
        (
            OVER, progress(Outcome.ADOPTED), "表决已结束，1,163 户投了票，共 1,670 户。通过。",
            "Closed. 1,163 of 1,670 households voted. Adopted.",
        ),
        (
            OVER, progress(Outcome.ADOPTED, None, Outcome.NO_QUORUM),
            "表决已结束，1,163 户投了票，共 1,670 户。2 项议题，1 项通过。",
            "Closed. 1,163 of 1,670 households voted. 1 of 2 questions adopted.",
        ),
        (
            OVER._replace(last_step=VoteStep.OPENED), progress(Outcome.PENDING),
            "表决已结束，1,163 户投了票，共 1,670 户。",
            "Closed. 1,163 of 1,670 households voted.",
        ),
        (
            OVER, progress(None), "表决已结束，1,163 户投了票，共 1,670 户。",
            "Closed. 1,163 of 1,670 households voted.",
        ),
        (
            VOTE._replace(last_step=VoteStep.ANNULLED), progress(),
            "这次表决已作废。", "This vote was annulled.",
        ),
    ],
)  # fmt: skip
def test_a_vote_says_how_it_stands(vote: VoteRow, sums: Progress, zh: str, en: str) -> None:
    assert said(found(vote, Kind.VOTE, sums)) == zh
    assert said(found(vote, Kind.VOTE, sums), "en") == en


@pytest.mark.parametrize(
    ("event", "zh", "en"),
    [
        (EVENT,
         "10 月 12 日 10:00，中心花园。已有 53 人报名，还有 27 个位子。",
         "12 Oct, 10:00, 中心花园. 53 signed up, 27 places left."),
        (EVENT._replace(signed_up=80),
         "10 月 12 日 10:00，中心花园。已有 80 人报名，位子满了。",
         "12 Oct, 10:00, 中心花园. 80 signed up, no places left."),
        (EVENT._replace(capacity=None),
         "10 月 12 日 10:00，中心花园。已有 53 人报名。",
         "12 Oct, 10:00, 中心花园. 53 signed up."),
        (EVENT._replace(ends_at=NOW), "活动已结束，53 人报了名。", "Over; 53 had signed up."),
    ],
)  # fmt: skip
def test_an_event_says_when_where_and_what_is_left(event: EventRow, zh: str, en: str) -> None:
    assert said(found(event, Kind.EVENT)) == zh
    assert said(found(event, Kind.EVENT), "en") == en


def test_a_withdrawn_notice_says_so_and_why() -> None:
    withdrawn = found(NOTICE._replace(withdrawn_at=NOW, withdrawn_reason="改期了"), Kind.NOTICE)
    assert said(withdrawn) == "这张公告已撤下：改期了"
    assert said(withdrawn, "en") == "Withdrawn: 改期了"


def test_a_notice_says_itself_in_one_line_and_not_at_any_length() -> None:
    assert said(found(NOTICE, Kind.NOTICE)) == "明早九点起， 请提前 储水。"
    long = said(found(NOTICE._replace(body="长" * 5000), Kind.NOTICE))
    assert len(long) == LONGEST
    assert long.endswith("…")


def test_a_community_says_what_is_being_decided() -> None:
    quiet, busy = (
        Found(Address(Kind.BULLETIN, "spring"), community=SPRING, open_vote=one) for one in (None, VOTE)
    )
    assert said(quiet) == "春风里的公告栏，1,670 户。表决、活动、公告和公共收益账目，都看得见。"
    assert said(busy) == "春风里的公告栏，1,670 户。正在表决：换水泵，10 月 16 日 24:00 截止。"
    assert "Being voted on: 换水泵, until 16 Oct, 24:00." in said(busy, "en")
    ledger = preview_of(Found(Address(Kind.LEDGER, "spring", month="2026-05"), community=SPRING), "zh", NOW)
    assert ledger.title == "2026 年 5 月公共收益账目 · 春风里"


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.values: dict[str, str | None] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.names.append(tag)
        given = dict(attrs)
        assert set(given) <= {"name", "property", "content", "rel", "href"}, given
        self.values[given.get("name") or given.get("property") or given.get("rel") or tag] = given.get(
            "content", given.get("href")
        )


NASTY = [
    '"><script>alert(1)</script>',
    "</title><img src=x onerror=alert(1)>",
    "' onload='x",
    r"\1 \g<0> &amp; <!--",
    "\x00",
]


@pytest.mark.parametrize("text", NASTY)
def test_nothing_breaks_out_of_its_place(text: str) -> None:
    hostile = NOTICE._replace(title=text, body=text)
    where = SPRING._replace(name=text, slug="a'b")
    for language in ("zh", "en"):
        preview = preview_of(
            Found(Address(Kind.NOTICE, "a'b", 4), community=where, thing=hostile), language, NOW
        )
        tags = Tags(head_of(preview, "https://m.example", exists=True))
        assert set(tags.names) == {"title", "meta", "link"}
        assert (
            tags.values["og:description"] == " ".join(text.split()).replace("\x00", "\ufffd")
            or "\x00" in text
        )
        assert tags.values["canonical"] == tags.values["og:url"] == "https://m.example/c/a'b/n/4"


def test_everything_that_a_link_needs_is_there() -> None:
    tags = Tags(
        head_of(preview_of(found(VOTE, Kind.VOTE, progress()), "en", NOW), "https://m.example", exists=True)
    )
    assert tags.values["og:title"] == "换水泵 · 春风里"
    assert tags.values["description"] == tags.values["og:description"]
    assert tags.values["og:image"] == "https://m.example/assets/preview-vote.png"
    assert tags.values["twitter:card"] == "summary_large_image"
    assert tags.values["og:type"] == "article"
    assert tags.values["og:locale"] == "en_GB"
    assert "robots" not in tags.values


def test_the_plain_page_tells_of_nothing() -> None:
    tags = Tags(head_of(plain("zh"), "https://m.example", exists=False))
    assert tags.values["robots"] == "noindex"
    assert {"canonical", "og:url"} & set(tags.values) == set()


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        (None, "", "zh"), (None, "en", "en"), (None, "en-GB,en;q=0.9,zh;q=0.8", "en"),
        (None, "zh-CN,en", "zh"),
        (None, "en;q=0.5, zh-TW;q=0.9", "zh"), (None, "fr-FR, en;q=0.3", "en"), (None, "fr, de", "zh"),
        (None, "en;q=0", "zh"), (None, "EN-us", "en"), (None, "en;q=x", "zh"), (None, ";;,=,q=1", "zh"),
        (None, "*", "zh"),
        (None, "en;q=nan", "zh"), (None, "en;q=inf", "en"), ("zh", "en", "zh"),
        ("en", "zh", "en"), ("fr", "en", "en"), ("", "en", "en"),
    ],
)  # fmt: skip
def test_the_language_is_the_chosen_one_else_the_dearest_that_we_speak(
    chosen: str | None, accepted: str, language: str
) -> None:
    assert language_of(chosen, accepted) == language
