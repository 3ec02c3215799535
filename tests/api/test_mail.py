import base64
import socket
import traceback

import pytest

from api.mail import Mailer, NotSent
from tests.api.mail_server import mail_server
from tests.services import free_port

LETTER = {"title": "given up: open_vote of 7", "text": "第一行\n.second line begins with a dot\n"}


async def test_a_mail_arrives_whole_under_its_key() -> None:
    async with mail_server() as server:
        for key in ("operator_mail-7", "operator_mail-7", "operator_mail-8"):
            await Mailer(server.url, "night@meilin.example").send(key, LETTER)
    first, again, other = server.mails
    assert first["From"] == first["To"] == "night@meilin.example"
    assert first["Subject"] == "[Meilin] given up: open_vote of 7"
    assert first["Message-ID"] == again["Message-ID"] == "<operator_mail-7@meilin.example>"
    assert other["Message-ID"] == "<operator_mail-8@meilin.example>"
    assert first.get_payload(decode=True) == LETTER["text"].encode()


async def test_it_signs_in_where_it_has_a_name() -> None:
    async with mail_server() as server:
        await Mailer(f"smtp://a%40b:p%3Aw@127.0.0.1:{server.port}", "night@meilin.example").send("k", LETTER)
    assert base64.b64decode(server.login.split()[-1]) == b"\0a@b\0p:w"


async def test_a_refusal_names_its_kind_and_nobody() -> None:
    async with mail_server() as server:
        server.refuses = "550 no such user night@meilin.example"
        with pytest.raises(NotSent) as caught:
            await Mailer(server.url, "night@meilin.example").send("k", LETTER)
    assert "no such user" not in "".join(traceback.format_exception(caught.value))
    assert str(caught.value) == "SMTPRecipientsRefused"


async def test_a_server_that_is_away_is_an_error_of_the_system() -> None:
    with pytest.raises(ConnectionRefusedError):
        await Mailer(f"smtp://127.0.0.1:{free_port()}", "night@meilin.example").send("k", LETTER)


async def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.mail.PATIENCE", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(NotSent):
        await Mailer(f"smtp://127.0.0.1:{silent.getsockname()[1]}", "night@meilin.example").send("k", LETTER)


def test_neither_the_password_nor_the_address_is_shown() -> None:
    assert "pw" not in repr(Mailer("smtp://a:pw@mail.example", "night@meilin.example"))
    assert "night" not in repr(Mailer("smtp://a:pw@mail.example", "night@meilin.example"))
