import asyncio
import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api import outbox, timers
from api.clock import utc_now
from api.mail import Mailer
from api.outbox import Outbox
from api.timers import OPERATOR_MAIL, Timers
from community.database import due
from community.database.actions import retry_due
from community.database.models import Due
from community.database.work import UnitOfWork, atomic
from community.permissions import SYSTEM
from tests.api.mail_server import MailServer, mail_server

TITLE = {"title": "到了", "text": "张三 13800000000"}


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as running:
        yield running


def boxes(server: MailServer, many: int = 1) -> list[Outbox]:
    """Of as many processes."""
    mailer = Mailer(server.url, "night@meilin.example")
    return [Outbox({OPERATOR_MAIL: mailer.send}, mails_operator=True) for _ in range(many)]


async def write(many: int = 1, kind: str = OPERATOR_MAIL) -> None:
    async def body(work: UnitOfWork) -> None:
        for _ in range(many):
            await work.send(kind, **TITLE)

    await atomic(body, SYSTEM, utc_now() - timedelta(seconds=1))


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    begun = utc_now()

    def by(much: timedelta) -> None:
        monkeypatch.setattr(outbox, "utc_now", lambda: begun + much)
        monkeypatch.setattr(timers, "utc_now", lambda: begun + much)

    return by


async def test_whatever_number_of_processes_look_each_message_is_sent_once(
    house: Any, server: MailServer
) -> None:
    await write(7)
    looking = boxes(server, 4)
    await asyncio.gather(*(box.run_due() for box in looking))
    await asyncio.gather(*(box.run_due() for box in looking))
    assert len(server.keys) == len(set(server.keys)) == 7
    assert set(await Due.filter(job=OPERATOR_MAIL).values_list("payload", flat=True)) == {None}
    assert await Due.filter(done_at=None, job=OPERATOR_MAIL).count() == 0


async def test_what_was_undone_is_never_sent(house: Any, server: MailServer) -> None:
    async def undone(work: UnitOfWork) -> None:
        await work.send(OPERATOR_MAIL, **TITLE)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await atomic(undone, SYSTEM, utc_now())
    await boxes(server)[0].run_due()
    assert server.mails == []


async def test_what_is_not_taken_is_sent_later_under_the_same_key_and_no_word_of_it_is_logged(
    house: Any, server: MailServer, later: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "api")
    await write()
    (box,) = boxes(server)
    server.refuses = "550 who is 张三"
    await box.run_due()
    assert server.mails == []
    (row,) = await Due.filter(job=OPERATOR_MAIL).values("error", "attempts", "subject")
    assert (row["error"], row["attempts"]) == ("NotSent", 1)
    server.refuses = ""
    await box.run_due()  # rests
    assert server.mails == []
    later(timedelta(seconds=2))
    await box.run_due()
    assert server.keys == [f"<operator_mail-{row['subject']}@meilin.example>"]
    text = logging.Formatter().format
    assert [record for record in caplog.records if "张三" in text(record) or "night@" in text(record)] == []


async def test_a_channel_that_hangs_keeps_no_vote_waiting_and_is_given_up(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PATIENCE", 0.01)

    async def hang(key: str, payload: dict[str, Any]) -> None:
        await asyncio.Event().wait()

    await write(3)
    await Outbox({OPERATOR_MAIL: hang}).run_due()
    assert set(await Due.filter(job=OPERATOR_MAIL).values_list("error", flat=True)) == {"TimeoutError"}
    assert await due.due_now(utc_now() + timedelta(days=1)) == []  # the timers see none of them


async def test_the_operator_is_mailed_once_about_a_dead_letter_and_never_about_a_mail(
    house: Any, server: MailServer, later: Any
) -> None:
    await Due.create(job="no_such_job", subject=7, at=utc_now(), attempts=due.MOST_ATTEMPTS - 1)
    (box,) = boxes(server)
    server.refuses = "451 later"
    later(timedelta(seconds=1))
    await asyncio.gather(*(Timers(mails_operator=True).run_due() for _ in range(3)))
    (letter,) = await due.dead_letters()
    for look in range(1, due.MOST_ATTEMPTS + 3):
        later(look * due.LONGEST_PAUSE)
        await box.run_due()
    assert await due.given_up() == {"no_such_job": 1, OPERATOR_MAIL: 1}
    assert await due.due_now(utc_now() + timedelta(days=9), messages=True) == []

    server.refuses = ""
    (mail,) = [one for one in await due.dead_letters() if one.job == OPERATOR_MAIL]
    await retry_due(SYSTEM, utc_now(), [mail.id])
    await box.run_due()
    (arrived,) = server.mails
    assert arrived["Subject"] == "[Meilin] given up: no_such_job of 7"
    assert f"meilin due retry {letter.id}".encode() in arrived.get_payload(decode=True)


async def test_without_an_operator_nobody_is_mailed(house: Any) -> None:
    await Due.create(job="no_such_job", subject=7, at=utc_now(), attempts=due.MOST_ATTEMPTS - 1)
    await Timers().run_due()
    assert await due.given_up() == {"no_such_job": 1}
    assert await due.due_now(utc_now(), messages=True) == []


async def test_a_server_mails_its_operator_about_what_it_gave_up(
    house: Any, serve: Any, server: MailServer, tmp_path: Path
) -> None:
    mail = {"MEILIN_SMTP_URL": server.url, "MEILIN_OPERATOR_MAIL": "night@meilin.example"}
    with serve(tmp_path, **mail) as running:
        await Due.create(job="no_such_job", subject=7, at=utc_now(), attempts=due.MOST_ATTEMPTS - 1)
        async with asyncio.timeout(60):
            await server.arrived.wait()
        assert "night@" not in running.log()
    assert server.mails[0]["To"] == "night@meilin.example"
    assert server.mails[0]["Subject"] == "[Meilin] given up: no_such_job of 7"


DIES = """
import asyncio, os, sys
from api.mail import Mailer
from api.outbox import Outbox
from community.database import due
from community.database.engine import opened

async def die(row, now):
    os._exit(9)

async def main(url, server):
    due.mark_sent = die
    async with opened(url):
        await Outbox({"operator_mail": Mailer(server, "night@meilin.example").send}).run_due()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_process_that_dies_between_sending_and_its_mark_leaves_it_to_the_next(
    house: Any, town_url: str, server: MailServer, later: Any
) -> None:
    await write()
    dying = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DIES, town_url, server.url, stderr=subprocess.DEVNULL
    )
    async with asyncio.timeout(60):
        assert await dying.wait() == 9
    assert len(server.mails) == 1
    (box,) = boxes(server)
    await box.run_due()
    assert len(server.mails) == 1  # leased
    later(due.LEASE + timedelta(minutes=1))
    await box.run_due()
    assert len(server.mails) == 2
    assert len(set(server.keys)) == 1
    assert server.mails[0].as_string() == server.mails[1].as_string()
    later(2 * due.LEASE + timedelta(minutes=9))
    await box.run_due()
    assert len(server.mails) == 2
