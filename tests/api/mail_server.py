"""An SMTP server for one test: it keeps what it was sent, and answers as it is told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message


@dataclass
class MailServer:
    """`refuses`: the answer to each recipient, while it is set; `login`: what was given to it."""

    port: int = 0
    mails: list[Message] = field(default_factory=list)
    refuses: str = ""
    login: str = ""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def keys(self) -> list[str]:
        return [mail["Message-ID"] for mail in self.mails]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())

        say("220 here")
        while line := (await reader.readline()).decode().rstrip():
            verb = line.partition(" ")[0].upper()
            if verb == "DATA":
                say("354 go on")
                sent = (await reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n").replace(b"\r\n", b"\n")
                self.mails.append(message_from_bytes(sent.replace(b"\n..", b"\n.")))
                self.arrived.set()
                say("250 kept")
            elif verb == "EHLO":
                say("250-here")
                say("250 AUTH PLAIN")
            elif verb == "AUTH":
                self.login = line
                say("235 known")
            elif verb == "RCPT" and self.refuses:
                say(self.refuses)
            elif verb == "QUIT":
                say("221 bye")
                break
            else:
                say("250 ok")
        writer.close()


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    mail = MailServer()
    server = await asyncio.start_server(mail.answer, "127.0.0.1", 0)
    mail.port = server.sockets[0].getsockname()[1]
    try:
        yield mail
    finally:
        server.close()
