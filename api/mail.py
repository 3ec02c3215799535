"""Mail to the operator, by the SMTP server of MEILIN_SMTP_URL."""

import asyncio
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

PATIENCE = 10
"""Seconds for each answer of the server; a message takes fewer than five of them."""


class NotSent(Exception):
    """The server did not take it: the kind of error and its code, since its own words name addresses."""


@dataclass(frozen=True, slots=True)
class Mailer:
    """`url`: smtp://, with STARTTLS where the server has it, or smtps://; `address`: from and to."""

    url: str = field(repr=False)
    address: str = field(repr=False)

    async def send(self, key: str, payload: Mapping[str, Any]) -> None:
        """`payload`: title and text. The same `key` gives the same Message-ID. Raises NotSent, OSError."""
        message = EmailMessage()
        message["From"] = message["To"] = self.address
        message["Subject"] = f"[Meilin] {payload['title']}"
        message["Message-ID"] = f"<{key}@{self.address.rpartition('@')[2]}>"
        message.set_content(str(payload["text"]))
        await asyncio.to_thread(self._deliver, message)

    def _deliver(self, message: EmailMessage) -> None:
        try:
            with self._connected() as server:
                server.send_message(message)
        except smtplib.SMTPException as error:
            raise NotSent(f"{type(error).__name__} {getattr(error, 'smtp_code', '')}".strip()) from None

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        at, context = urlsplit(self.url), ssl.create_default_context()
        if at.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                at.hostname or "", at.port or 465, timeout=PATIENCE, context=context
            )
        else:
            server = smtplib.SMTP(at.hostname or "", at.port or 25, timeout=PATIENCE)
        with server:
            server.ehlo()
            if at.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls(context=context)
            if at.username:
                server.login(unquote(at.username), unquote(at.password or ""))
            yield server
