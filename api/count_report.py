"""A counted vote file as people read it in a terminal: Chinese first, exact figures."""

from dataclasses import replace
from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from community.errors import ErrorCode
from community.votes.file_count import CountedFile, two_decimals
from community.votes.files import VoteFile
from community.votes.rules import (
    MAJORITY,
    ZERO,
    Condition,
    Gate,
    Matter,
    Measure,
    Option,
    Outcome,
    Silence,
    Tally,
    count,
)

LONGEST_TITLE = 200
MOST_REFUSED_LISTED = 20

MATTERS = {
    Matter.RULES_OF_PROCEDURE: "制定或修改业主大会议事规则",
    Matter.COVENANT: "制定或修改管理规约",
    Matter.ELECT_COMMITTEE: "选举或更换业主委员会成员",
    Matter.ENGAGE_PROVIDER: "选聘或解聘物业服务人",
    Matter.USE_FUND: "使用维修资金",
    Matter.RAISE_FUND: "筹集维修资金",
    Matter.REBUILD: "改建、重建建筑物及其附属设施",
    Matter.CHANGE_COMMON_PARTS: "改变共有部分用途或利用其经营",
    Matter.SPEND_INCOME: "使用共有收入",
    Matter.OTHER_MATTER: "其他重大事项",
    Matter.CONSULTATION: "征询意见",
}
OPTIONS: dict[str, str] = {
    Option.FOR: "赞同 for",
    Option.AGAINST: "反对 against",
    Option.ABSTAIN: "弃权 abstain",
    Option.FOLLOW: "随多数 follow",
}
GATES = {Gate.PARTICIPATION: "参与 participation", Gate.AGREEMENT: "同意 agreement"}
MEASURES = {Measure.AREA: "面积 m²", Measure.HEADS: "人数"}
OUTCOMES = {
    Outcome.ADOPTED: ("通过 adopted", "bold green"),
    Outcome.NOT_ADOPTED: ("未通过 not adopted", "bold red"),
    Outcome.NO_QUORUM: ("参与不足 no quorum", "bold yellow"),
}
CONSULTED = ("征询意见，不作决定 consultation: nothing is decided", "bold cyan")
REFUSALS = {
    ErrorCode.ALREADY_CAST: "该业主已投过票 already cast",
    ErrorCode.NOT_ON_ROLL: "不在业主名册 not on the roll",
}


def count_report(path: Path, vote: VoteFile, counted: CountedFile) -> RenderableType:
    """One file's result; nothing written in the file is taken for markup or terminal codes."""
    tally = counted.tally
    parts: list[RenderableType] = [_conditions(tally)] if tally.conditions else []
    parts += [_choices(tally), *_remarks(vote, counted)]
    return Group(*_heading(path, vote), _outcome(tally), *(Padding(part, (0, 0, 0, 2)) for part in parts), "")


def _heading(path: Path, vote: VoteFile) -> tuple[Text, Text]:
    title = Text(_printable(vote.title), style="bold")
    return title, Text(f"{MATTERS[vote.matter]} {vote.matter} · {_printable(str(path))}", style="dim")


def _outcome(tally: Tally) -> Text:
    return Text.assemble("结果 outcome: ", CONSULTED if tally.outcome is None else OUTCOMES[tally.outcome])


def _conditions(tally: Tally) -> Table:
    table = _table("门槛\ngate", "", figures=("已有\nhave", "总数\nof", "需要\nneed", "还差\nmissing", ""))
    for condition in tally.conditions:
        table.add_row(*_condition_cells(condition))
    table.caption = f"依据 {tally.conditions[0].clause}"
    table.caption_justify = "left"
    return table


def _condition_cells(condition: Condition) -> tuple[str | Text, ...]:
    sign = ">" if condition.need == str(MAJORITY) else "≥"
    return (
        GATES[condition.gate],
        MEASURES[condition.measure],
        _figure(condition.measure, condition.have),
        _figure(condition.measure, condition.of),
        f"{sign} {condition.need}",
        "–" if condition.met else _figure(condition.measure, condition.missing),
        Text("✓", style="green") if condition.met else Text("✗", style="red"),
    )


def _choices(tally: Tally) -> Table:
    table = _table("选项 choice", figures=("人数 heads", "面积 m²"))
    for option, weight in tally.choices.items():
        table.add_row(OPTIONS[option], str(weight.heads), two_decimals(weight.area))
    table.add_section()
    for label, weight in (("参与 participating", tally.participating), ("全体 eligible", tally.eligible)):
        table.add_row(label, str(weight.heads), two_decimals(weight.area))
    return table


def _table(*labels: str, figures: tuple[str, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for label in labels:
        table.add_column(label, no_wrap=True)
    for figure in figures:
        # Folded, never cut short: half a figure would be a wrong one.
        table.add_column(figure, justify="right", overflow="fold")
    return table


def _remarks(vote: VoteFile, counted: CountedFile) -> list[Text]:
    tally = counted.tally
    remarks = []
    if tally.choices[Option.FOLLOW] != ZERO:
        leader = "没有 none" if tally.leader is None else OPTIONS[tally.leader]
        remarks.append(Text(f"领先选项 leader: {leader}"))
    if tally.floor_met is False:
        remarks.append(Text("实际投出的赞同票未过全体半数 cast FOR: not more than half of all"))
    if vote.rules.silence is Silence.FOLLOW_MAJORITY and tally.outcome is not None:
        absent = count(vote.matter, replace(vote.rules, silence=Silence.ABSENT), counted.sums)
        remarks.append(Text.assemble("不计未投票的业主 without the silent: ", _outcome(absent)))
    remarks += [
        Text(f"未计入 not counted: ballots[{ballot.ballot}] {REFUSALS[ballot.code]}", style="yellow")
        for ballot in counted.refused[:MOST_REFUSED_LISTED]
    ]
    unlisted = len(counted.refused) - MOST_REFUSED_LISTED
    if unlisted > 0:
        remarks.append(Text(f"另有 {unlisted} 张未计入 and {unlisted} more", style="yellow"))
    return remarks


def _figure(measure: Measure, value: int) -> str:
    return str(value) if measure is Measure.HEADS else two_decimals(value)


def _printable(text: str) -> str:
    shown = "".join(character if character.isprintable() else "�" for character in text[:LONGEST_TITLE])
    return shown if len(text) <= LONGEST_TITLE else f"{shown}…"
