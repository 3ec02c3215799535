"""The id under which errors of the current request, socket or group are logged."""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
