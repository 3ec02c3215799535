"""Logs as lines of JSON, without personal data: no addresses, no bodies, no names."""

import logging
import logging.config
import time

import structlog
from structlog.typing import EventDict

from realtime.request_id import request_id

# What stood in variables when something failed is tokens, names and ballots.
_WITHOUT_LOCALS = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)


SELDOM = 60.0
"""Seconds between two equal warnings of the server about what clients send, who can send much."""


class _Seldom(logging.Filter):
    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno != logging.WARNING:
            return True
        now, before = time.monotonic(), self._said.get(record.msg)
        if before is not None and now - before < SELDOM:
            return False
        if len(self._said) > 100:
            self._said.clear()
        self._said[record.msg] = now
        return True


def _with_request(logger: object, method: str, event: EventDict) -> EventDict:
    if own := request_id.get():
        event["request"] = own
    return event


def configure(level: str) -> None:
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_request,
    ]
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.ExceptionRenderer(_WITHOUT_LOCALS),
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(level)
    # What they say at INFO has the addresses of clients in it.
    logging.getLogger("uvicorn.access").disabled = True
    server = logging.getLogger("uvicorn.error")
    server.setLevel(logging.WARNING)
    server.filters = [_Seldom()]
    for name in (
        "tortoise",
        "aiosqlite",
        "websockets",
    ):  # at DEBUG they tell statements and frames
        logging.getLogger(name).setLevel(logging.INFO)
