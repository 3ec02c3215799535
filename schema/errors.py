"""How a refusal reaches a client: a code and two sentences; what is our fault is masked and logged."""

import logging
import secrets
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

from graphql import GraphQLError
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import MaskErrors
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from community.errors import ErrorCode, InvalidInput, Refused

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request or socket that is being served; the outside sets it."""

log = logging.getLogger(__name__)

_BAD_REQUESTS = (CannotGetOperationTypeError, InvalidOperationTypeError, MissingQueryError)

INTERNAL_ZH = "系统出了问题，请把编号 {request} 告诉我们。"
INTERNAL_EN = "Something went wrong on our side; please report the number {request}."


def presented(error: GraphQLError) -> GraphQLError:
    """The same error as clients may see it, with `code`, `zh`, `en` and `requestId` in its extensions."""
    if "code" in (error.extensions or {}):
        return error
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    if isinstance(cause, Refused):
        return _with(error, cause.en, cause.code, cause.zh, cause.en, more=waiting(cause))
    if cause is None or isinstance(cause, _BAD_REQUESTS):
        refusal = InvalidInput(problem_zh="请求的写法不对", problem_en=error.message)
        return _with(error, refusal.en, refusal.code, refusal.zh, refusal.en)
    number = request_id.get() or secrets.token_hex(4)
    log.error("internal error %s at %s", number, error.path, exc_info=cause)
    zh, en = INTERNAL_ZH.format(request=number), INTERNAL_EN.format(request=number)
    return _with(error, en, ErrorCode.INTERNAL, zh, en, number)


def _with(
    error: GraphQLError,
    message: str,
    code: ErrorCode,
    zh: str,
    en: str,
    number: str = "",
    more: Mapping[str, object] = MappingProxyType({}),
) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions={"code": code.value, "zh": zh, "en": en, **more, **numbered(number or request_id.get())},
    )


def numbered(number: str) -> dict[str, str]:
    """The `requestId` of an error, where there is a request."""
    return {"requestId": number} if number else {}


def waiting(refused: Refused) -> dict[str, int]:
    """The `retryAfter` of an error, in seconds, where asking again may help."""
    return {} if refused.retry_after is None else {"retryAfter": refused.retry_after}


class PresentedErrors(MaskErrors):
    """Presents every error of an operation, also of each step of a subscription."""

    def anonymise_error(self, error: GraphQLError) -> GraphQLError:
        return presented(error)
