"""What a link says before it is opened: title, a sentence that says how things stand, a picture.

The sentences are those of a shared link only; every other word of the page is the page's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Literal
from zoneinfo import ZoneInfo

from api.addresses import Address, Kind
from api.finding import Found
from community.bulletin.reads import NoticeRow
from community.events.reads import EventRow
from community.places.reads import CommunityRow
from community.votes.lifecycle import VoteStatus
from community.votes.progress import Progress
from community.votes.reads import VoteRow
from community.votes.rules import Outcome

Language = Literal["zh", "en"]
TAGS: dict[Language, str] = {"zh": "zh-CN", "en": "en"}
LOCALES: dict[Language, str] = {"zh": "zh_CN", "en": "en_GB"}
SITE: dict[Language, str] = {"zh": "美邻", "en": "Meilin"}
LONGEST = 160
"""Characters of a description; more no reader of previews shows."""

PICTURES: dict[Kind, str] = {
    Kind.VOTE: "vote",
    Kind.EVENT: "event",
    Kind.NOTICE: "notice",
    Kind.LEDGER: "ledger",
}
SIZE = (1200, 630)


@dataclass(frozen=True, slots=True)
class Preview:
    """`address`: of what is shown to everybody; None for the plain page, which tells of nothing."""

    language: Language
    title: str
    description: str
    picture: str = "board"
    address: Address | None = None
    article: bool = False


def preview_of(found: Found, language: Language, now: datetime) -> Preview:
    community, say = found.community, _WORDS[language]
    if community is None:
        return _plain(language, found.address)
    title, sentence = community.name, say.community(community, found.open_vote, now)
    match found.thing:
        case VoteRow() as vote:
            title, sentence = vote.title, say.vote(vote, found.progress, community, now)
        case EventRow() as event:
            title, sentence = event.title, say.event(event, community, now)
        case NoticeRow() as notice:
            title, sentence = notice.title, say.notice(notice)
        case _ if found.address.kind is Kind.LEDGER:
            title, sentence = say.ledger(found.address.month), say.book(community)
        case _ if found.address.kind is Kind.PUBLISH:
            title = say.publish
    whole = title if title == community.name else f"{title} · {community.name}"
    picture = PICTURES.get(found.address.kind, "board")
    return Preview(language, whole, _short(sentence), picture, found.address, found.thing is not None)


def plain(language: Language) -> Preview:
    """Of what is not there, or not for everybody: one cannot be told from the other."""
    return _plain(language, None)


def _plain(language: Language, address: Address | None) -> Preview:
    return Preview(language, SITE[language], _WORDS[language].site, address=address)


def _short(text: str) -> str:
    """In one line."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def head_of(preview: Preview, origin: str, *, exists: bool) -> str:
    """As it stands in `<head>`, the title included."""
    lines = [f"<title>{escape(preview.title)}</title>", _meta("name", "description", preview.description)]
    if not exists:
        lines.append(_meta("name", "robots", "noindex"))
    address = None if preview.address is None else f"{origin}{preview.address.whole}"
    if address is not None:
        lines.append(f'<link rel="canonical" href="{escape(address)}" />')
        lines.append(_meta("property", "og:url", address))
    image = f"{origin}/assets/preview-{preview.picture}.png"
    for name, value in (
        ("og:site_name", SITE[preview.language]),
        ("og:type", "article" if preview.article else "website"),
        ("og:locale", LOCALES[preview.language]),
        ("og:title", preview.title),
        ("og:description", preview.description),
        ("og:image", image),
        ("og:image:type", "image/png"),
        ("og:image:width", str(SIZE[0])),
        ("og:image:height", str(SIZE[1])),
    ):
        lines.append(_meta("property", name, value))
    lines.append(_meta("name", "twitter:card", "summary_large_image"))
    return "\n    ".join(lines)


def _meta(kind: str, name: str, value: str) -> str:
    return f'<meta {kind}="{name}" content="{escape(value)}" />'


def language_of(chosen: str | None, accepted: str) -> Language:
    """What was chosen, else the dearest of what a browser asks for that we speak; Chinese for all others."""
    if chosen == "zh" or chosen == "en":
        return "zh" if chosen == "zh" else "en"
    best: tuple[float, Language] = (0.0, "zh")
    for part in accepted.split(","):
        tag, _, weight = part.strip().lower().partition(";")
        primary = tag.strip().split("-")[0]
        if primary in TAGS and (value := _weight(weight)) > best[0]:
            best = (value, "zh" if primary == "zh" else "en")
    return best[1]


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    if not name:
        return 1.0
    try:
        return min(float(value), 1.0) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


# Words


def _local(at: datetime, community: CommunityRow, *, end: bool = False) -> tuple[datetime, str]:
    """The day and the time on the wall there; what ends at midnight ends at 24:00 of the day before."""
    here = at.astimezone(ZoneInfo(community.profile.time_zone))
    if end and (here.hour, here.minute) == (0, 0):
        return here - timedelta(days=1), "24:00"
    return here, f"{here:%H:%M}"


class _Chinese:
    site = "小区的公告栏：业主一起表决，邻里报名活动，公共收益账目公开。"
    publish = "发布"

    def community(self, community: CommunityRow, vote: VoteRow | None, now: datetime) -> str:
        what = f"{community.name}的公告栏，{community.households:,} 户。"
        if vote is not None:
            return (
                f"{what}正在表决：{vote.title}，{self._when(vote.closes_at, community, now, end=True)} 截止。"
            )
        return f"{what}表决、活动、公告和公共收益账目，都看得见。"

    def vote(self, vote: VoteRow, progress: Progress | None, community: CommunityRow, now: datetime) -> str:
        opens = self._when(vote.opens_at, community, now)
        closes = self._when(vote.closes_at, community, now, end=True)
        status = vote.status(now)
        if status is VoteStatus.ANNULLED:
            return "这次表决已作废。"
        if status is VoteStatus.ANNOUNCED or progress is None:
            return f"{opens} 开始表决，{closes} 截止。"
        turnout = f"{progress.participating.heads:,} 户"
        of = f"共 {progress.eligible.heads:,} 户"
        if status is VoteStatus.OPEN:
            return f"已有 {turnout}投票，{of}。{closes} 截止。"
        return f"表决已结束，{turnout}投了票，{of}。{self._outcome(_outcomes(progress))}"

    def _outcome(self, outcomes: Sequence[Outcome]) -> str:
        if len(outcomes) == 1:
            said = {
                Outcome.ADOPTED: "通过。",
                Outcome.NOT_ADOPTED: "没有通过。",
                Outcome.NO_QUORUM: "参与的不够，没有通过。",
            }
            return said.get(outcomes[0], "")
        return f"{len(outcomes)} 项议题，{outcomes.count(Outcome.ADOPTED)} 项通过。" if outcomes else ""

    def event(self, event: EventRow, community: CommunityRow, now: datetime) -> str:
        if event.ends_at <= now:
            return f"活动已结束，{event.signed_up:,} 人报了名。"
        where = (
            f"{self._when(event.starts_at, community, now)}，{event.place}。已有 {event.signed_up:,} 人报名"
        )
        if event.capacity is None:
            return f"{where}。"
        left = max(0, event.capacity - event.signed_up)
        return f"{where}，还有 {left:,} 个位子。" if left else f"{where}，位子满了。"

    def notice(self, notice: NoticeRow) -> str:
        return notice.body if notice.withdrawn_at is None else f"这张公告已撤下：{notice.withdrawn_reason}"

    def ledger(self, month: str) -> str:
        return f"{int(month[:4])} 年 {int(month[5:])} 月公共收益账目" if month else "公共收益账目"

    def book(self, community: CommunityRow) -> str:
        return f"{community.name}的公共收益：每一笔收入和支出，依据什么，还剩多少，都在这里。"

    def _when(self, at: datetime, community: CommunityRow, now: datetime, *, end: bool = False) -> str:
        day, clock = _local(at, community, end=end)
        year = "" if day.year == _local(now, community)[0].year else f"{day.year} 年 "
        return f"{year}{day.month} 月 {day.day} 日 {clock}"


class _English:
    site = "The notice board of a housing estate: owners vote, neighbours sign up, and the books are open."
    publish = "Publish"

    def community(self, community: CommunityRow, vote: VoteRow | None, now: datetime) -> str:
        what = f"Notice board of {community.name}, {community.households:,} households."
        if vote is not None:
            closes = self._when(vote.closes_at, community, now, end=True)
            return f"{what} Being voted on: {vote.title}, until {closes}."
        return f"{what} Votes, events, notices and the ledger, open to read."

    def vote(self, vote: VoteRow, progress: Progress | None, community: CommunityRow, now: datetime) -> str:
        opens = self._when(vote.opens_at, community, now)
        closes = self._when(vote.closes_at, community, now, end=True)
        status = vote.status(now)
        if status is VoteStatus.ANNULLED:
            return "This vote was annulled."
        if status is VoteStatus.ANNOUNCED or progress is None:
            return f"Voting opens {opens} and closes {closes}."
        turnout = f"{progress.participating.heads:,} of {progress.eligible.heads:,} households"
        if status is VoteStatus.OPEN:
            return f"{turnout} have voted. Closes {closes}."
        return f"Closed. {turnout} voted. {self._outcome(_outcomes(progress))}".strip()

    def _outcome(self, outcomes: Sequence[Outcome]) -> str:
        if len(outcomes) == 1:
            said = {
                Outcome.ADOPTED: "Adopted.",
                Outcome.NOT_ADOPTED: "Not adopted.",
                Outcome.NO_QUORUM: "Too few took part.",
            }
            return said.get(outcomes[0], "")
        return f"{outcomes.count(Outcome.ADOPTED)} of {len(outcomes)} questions adopted." if outcomes else ""

    def event(self, event: EventRow, community: CommunityRow, now: datetime) -> str:
        if event.ends_at <= now:
            return f"Over; {event.signed_up:,} had signed up."
        where = f"{self._when(event.starts_at, community, now)}, {event.place}. {event.signed_up:,} signed up"
        if event.capacity is None:
            return f"{where}."
        left = max(0, event.capacity - event.signed_up)
        return f"{where}, {left:,} places left." if left else f"{where}, no places left."

    def notice(self, notice: NoticeRow) -> str:
        return notice.body if notice.withdrawn_at is None else f"Withdrawn: {notice.withdrawn_reason}"

    def ledger(self, month: str) -> str:
        return f"Ledger of {month}" if month else "Ledger"

    def book(self, community: CommunityRow) -> str:
        return f"What the common parts of {community.name} earn: each entry, its authority, and the balance."

    def _when(self, at: datetime, community: CommunityRow, now: datetime, *, end: bool = False) -> str:
        day, clock = _local(at, community, end=end)
        year = "" if day.year == _local(now, community)[0].year else f" {day.year}"
        return f"{day.day} {_MONTHS[day.month - 1]}{year}, {clock}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WORDS: dict[Language, "_Chinese | _English"] = {"zh": _Chinese(), "en": _English()}


def _outcomes(progress: Progress) -> list[Outcome]:
    """Of the questions that are decided, and not merely asked."""
    found = [question.tally.outcome for question in progress.questions]
    return [outcome for outcome in found if outcome is not None and outcome is not Outcome.PENDING]
