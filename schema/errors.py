"""Errors as clients get them: a refusal has a code and two sentences; all others are masked and logged."""

import logging
import secrets

from graphql import DocumentNode, GraphQLError
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import MaskErrors
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from community.errors import ErrorCode, Refused, without_frames
from realtime.request_id import request_id
from schema.inputs import path_of
from schema.nodes import to_id
from schema.sentences import misspoken, shortened

log = logging.getLogger(__name__)

_BAD_REQUESTS = (CannotGetOperationTypeError, InvalidOperationTypeError, MissingQueryError)

INTERNAL_ZH = "系统出了问题，请把编号 {request} 告诉我们。"
INTERNAL_EN = "Something went wrong on our side; please report the number {request}."


def presented(error: GraphQLError, document: DocumentNode | None = None) -> GraphQLError:
    """The same error as clients may see it: `code`, `zh`, `en`, `field` and `requestId` in its extensions.

    `document`: what was asked for; in it stands which argument a faulty input belongs to.
    """
    if "code" in (error.extensions or {}):
        return error
    try:
        return _presented(error, document)
    finally:
        without_frames(error)


def _presented(error: GraphQLError, document: DocumentNode | None) -> GraphQLError:
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    if isinstance(cause, Refused):
        return _with(error, cause, cause.field or path_of(error, document))
    if cause is None or isinstance(cause, _BAD_REQUESTS):
        return _with(error, misspoken(error.message), path_of(error, document))
    number = request_id.get() or secrets.token_hex(4)
    log.error("internal error %s at %s", number, error.path, exc_info=cause)
    return _extended(error, INTERNAL_EN.format(request=number), _internal(number))


def _with(error: GraphQLError, refusal: Refused, field: str | None) -> GraphQLError:
    return _extended(error, refusal.en, extensions_of(refusal, field) | numbered(request_id.get()))


def extensions_of(refusal: Refused, field: str | None = None) -> dict[str, object]:
    """The extensions of a refusal."""
    about = {
        "field": field or refusal.field,
        "question": None if refusal.question is None else to_id("Question", refusal.question),
        "expected": refusal.expected,
        "choice": None if refusal.choice is None else shortened(refusal.choice),
    }
    extensions = {name: value for name, value in about.items() if value is not None}
    return {"code": refusal.code.value, "zh": refusal.zh, "en": refusal.en, **extensions, **_waiting(refusal)}


def _internal(number: str) -> dict[str, object]:
    zh, en = INTERNAL_ZH.format(request=number), INTERNAL_EN.format(request=number)
    return {"code": ErrorCode.INTERNAL.value, "zh": zh, "en": en} | numbered(number)


def _extended(error: GraphQLError, message: str, extensions: dict[str, object]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )


def numbered(number: str) -> dict[str, object]:
    """The `requestId` of an error, where there is a request."""
    return {"requestId": number} if number else {}


def _waiting(refused: Refused) -> dict[str, int]:
    """The `retryAfter` of an error, in seconds, where asking again may help."""
    return {} if refused.retry_after is None else {"retryAfter": refused.retry_after}


class PresentedErrors(MaskErrors):
    """Presents every error of an operation, also of each step of a subscription."""

    def anonymise_error(self, error: GraphQLError) -> GraphQLError:
        return presented(error, self.execution_context.graphql_document)
