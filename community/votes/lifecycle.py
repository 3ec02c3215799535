"""What a lawful announcement is, and which choices a question offers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from community.errors import InvalidInput
from community.places.rules import Profile
from community.text import as_read, body, single_line
from community.votes.casting import QuestionKind, VoteForm
from community.votes.rules import Matter, Option, Silence

LONGEST_TITLE, LONGEST_QUESTION, LONGEST_DESCRIPTION = 120, 200, 10_000
LONGEST_CODE, LONGEST_LABEL = 32, 100
LONGEST_EVIDENCE = 128
"""Where the paper of a ballot lies, or its recording."""

LONGEST_REASON = 200
"""Of a ruling on a ballot."""

LONGEST_WRITE = timedelta(seconds=10)
"""What a write may take from its request to its commit."""

LABELS = {Option.FOR: "赞同", Option.AGAINST: "反对", Option.ABSTAIN: "弃权", Option.FOLLOW: "随多数"}


def counted_from(closes_at: datetime) -> datetime:
    """The closing count waits for every ballot that came before the close and still stands in a line."""
    return closes_at + LONGEST_WRITE + timedelta(seconds=1)


def choices_of(
    kind: QuestionKind, options: Sequence[tuple[str, str]], *, follow: bool
) -> list[tuple[str, str]]:
    """Codes and labels; FOLLOW only where the vote's rules offer it."""
    if kind is QuestionKind.SURVEY:
        return list(options)
    offered = [option for option in Option if follow or option is not Option.FOLLOW]
    return [(option.value, LABELS[option]) for option in offered]


def cleaned_title(text: str) -> str:
    return single_line(text, LONGEST_TITLE, "标题", "the title", field="title")


def cleaned_question(text: str, field: str) -> str:
    return single_line(text, LONGEST_QUESTION, "议题", "the question", field=f"{field}.title")


def cleaned_description(text: str, field: str) -> str:
    return body(text, LONGEST_DESCRIPTION, "说明", "the description", may_be_empty=True, field=field)


def cleaned_choices(offered: Sequence[tuple[str, str]], field: str) -> list[tuple[str, str]]:
    """Raises InvalidInput also where two codes, or two labels, are the same to whoever reads them."""
    choices = [
        (
            single_line(
                code, LONGEST_CODE, "选项代码", "a choice's code", field=f"{field}.choices.{index}.code"
            ),
            single_line(label, LONGEST_LABEL, "选项", "a choice", field=f"{field}.choices.{index}.label"),
        )
        for index, (code, label) in enumerate(offered)
    ]
    _check_all_differ([code for code, _ in choices], "选项的代码", "code", f"{field}.choices", "code")
    _check_all_differ([label for _, label in choices], "选项的文字", "label", f"{field}.choices", "label")
    return choices


def _check_all_differ(words: Sequence[str], name_zh: str, name_en: str, field: str, part: str) -> None:
    seen: set[str] = set()
    for index, word in enumerate(words):
        if as_read(word) in seen:
            raise InvalidInput(
                problem_zh=f"{name_zh}重复了",
                problem_en=f"two choices have the same {name_en}",
                field=f"{field}.{index}.{part}",
            )
        seen.add(as_read(word))


def check_question(
    kind: QuestionKind, matter: Matter, offered: Sequence[tuple[str, str]], least: int, most: int
) -> None:
    """Raises InvalidInput: a resolution is answered with one choice, since who decides nothing may abstain;
    a survey decides no statutory matter.
    """
    survey = kind is QuestionKind.SURVEY
    if survey and matter is not Matter.CONSULTATION:
        raise InvalidInput(
            problem_zh="问卷只能征求意见，不能决定事项", problem_en="a survey decides no statutory matter"
        )
    if not ((0 if survey else 1) <= least <= most and 1 <= most <= (len(offered) if survey else 1)):
        raise InvalidInput(
            problem_zh="最少和最多选几项填得不对",
            problem_en="the least and most choices do not fit the question",
        )


def check_announcement(
    profile: Profile,
    form: VoteForm,
    now: datetime,
    opens_at: datetime,
    closes_at: datetime,
    matters: Sequence[Matter],
    silence: Silence,
) -> None:
    """Raises InvalidInput where the announcement breaks the profile's days or mixes what may not be mixed.

    A consultation has no lawful notice or window; it only has to lie ahead.
    """
    if not matters:
        raise InvalidInput(problem_zh="至少要有一个议题", problem_en="a vote has at least one question")
    consulting = form is VoteForm.CONSULTATION
    if any((matter is Matter.CONSULTATION) != consulting for matter in matters):
        raise InvalidInput(
            problem_zh="征求意见和法定表决不能混在一起",
            problem_en="a consultation decides no statutory matter",
        )
    if silence is not Silence.ABSENT:
        raise InvalidInput(
            problem_zh="未投票视为从多数，须有议事规则条款和送达记录，目前不能发起",
            problem_en="counting silence needs an adopted clause and proof of service; not offered yet",
        )
    if not now <= opens_at < closes_at:
        raise InvalidInput(
            problem_zh="投票时间要在公告之后，截止要晚于开始",
            problem_en="the window lies after the announcement",
        )
    if not consulting:
        _check_days(profile, now, opens_at, closes_at)


def _check_days(profile: Profile, now: datetime, opens_at: datetime, closes_at: datetime) -> None:
    zone = ZoneInfo(profile.time_zone)
    notice = (opens_at.astimezone(zone).date() - now.astimezone(zone).date()).days
    if notice < profile.notice_days:
        raise InvalidInput(
            problem_zh=f"要提前 {profile.notice_days} 天公告，现在只有 {notice} 天",
            problem_en=f"notice of {profile.notice_days} days is needed, this is {notice}",
        )
    window = closes_at - opens_at
    least, most = timedelta(days=profile.window_days_least), timedelta(days=profile.window_days_most)
    if not least <= window <= most:
        raise InvalidInput(
            problem_zh=f"投票时间为 {least.days} 到 {most.days} 天",
            problem_en=f"the window is {least.days} to {most.days} days",
        )
