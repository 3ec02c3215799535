"""How an estate answers a vote: who casts, when, over which channel, and what."""

from datetime import datetime
from random import Random
from typing import NamedTuple

from community.votes.casting import Channel, VoteForm
from demo.agendas import PlannedVote
from demo.chance import seeded
from demo.days import instants
from demo.estates import FAMILIAR, Estate
from demo.matters import Ask

_CHANNELS = (Channel.ONLINE, Channel.PAPER, Channel.DOOR_TO_DOOR)
_EVIDENCE = {Channel.PAPER: "纸质票第{:04}号", Channel.DOOR_TO_DOOR: "上门送达记录第{:04}号"}


class PlannedAnswer(NamedTuple):
    """`question` counts from 0."""

    question: int
    choices: tuple[str, ...]
    text: str | None = None


class PlannedBallot(NamedTuple):
    """`party` is the number of an owner party, 0 the developer."""

    party: int
    cast_at: datetime
    answers: tuple[PlannedAnswer, ...]
    channel: Channel
    evidence: str | None


Questions = list[tuple[int, Ask, frozenset[int]]]
"""The questions by index, each with the parties that may answer it."""


def ballots(estate: Estate, vote: PlannedVote, until: datetime) -> list[PlannedBallot]:
    """The ballots cast before `until`, in order of time."""
    rng = seeded(estate.site.slug, vote.title)
    electorate = estate.voters(vote.motion.building)
    count = round(vote.turnout * len(electorate))
    if until < vote.closes_at:
        electorate = [party for party in electorate if party > FAMILIAR]
    casting = rng.sample(electorate, count)
    clock = seeded(estate.site.slug, vote.title, vote.opens_at)
    times = instants(clock, vote.opens_at, min(vote.closes_at, until), count)
    asked = [
        (index, ask, frozenset(estate.voters(ask.building))) for index, ask in enumerate(vote.motion.asks)
    ]
    on_paper = vote.motion.form is not VoteForm.CONSULTATION
    return [
        PlannedBallot(party, at, _answers(rng, party, asked), *_channel(rng, number, on_paper))
        for number, (party, at) in enumerate(zip(casting, times, strict=True), 1)
    ]


def _channel(rng: Random, number: int, on_paper: bool) -> tuple[Channel, str | None]:
    (channel,) = rng.choices(_CHANNELS, (86, 9, 5)) if on_paper else (Channel.ONLINE,)
    evidence = _EVIDENCE.get(channel)
    return channel, evidence and evidence.format(number)


def _answers(rng: Random, party: int, asked: Questions) -> tuple[PlannedAnswer, ...]:
    return tuple(
        PlannedAnswer(index, _marks(rng, ask), _remark(rng, ask))
        for index, ask, deciding in asked
        if party in deciding
    )


def _marks(rng: Random, ask: Ask) -> tuple[str, ...]:
    several = min(ask.most, rng.choices((1, 2, 3), (35, 40, 25))[0])
    leaning = dict(ask.leaning)
    marks = []
    for _ in range(several):
        (mark,) = rng.choices(list(leaning), list(leaning.values()))
        marks.append(mark)
        del leaning[mark]
    return tuple(marks)


def _remark(rng: Random, ask: Ask) -> str | None:
    if not ask.remarks or rng.random() > 0.12:
        return None
    return rng.choice(ask.remarks).format(n=rng.randint(1, 16))
