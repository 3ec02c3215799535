"""What HTTP says besides GraphQL results: refusals with the same code and sentences."""

from collections.abc import Mapping
from typing import Any, cast

import orjson
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response

from community.errors import ErrorCode, Refused
from realtime.request_id import request_id
from schema.errors import extensions_of, numbered, presented

STATUS = {
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.DOCUMENT_UNKNOWN: 404,
    ErrorCode.OUTCOME_UNKNOWN: 503,
    ErrorCode.TRY_AGAIN: 503,
}


def json_answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


def errors_of(refused: Refused, number: str, **more: object) -> dict[str, Any]:
    """In the form of a GraphQL error, so that clients read one shape everywhere."""
    extensions = extensions_of(refused) | numbered(number) | more
    return {"errors": [{"message": refused.en, "extensions": extensions}]}


def refusal(refused: Refused, status: int | None = None) -> Response:
    status, headers = status or STATUS.get(refused.code, 400), {}
    if status == 401:
        headers["www-authenticate"] = challenge(refused.en)
    if refused.retry_after is not None:
        headers["retry-after"] = str(refused.retry_after)
    return json_answer(errors_of(refused, request_id.get()), status, headers)


def challenge(problem: str) -> str:
    """Describes what is wrong with a token (RFC 6750 §3, which allows no quotes within)."""
    said = problem.replace('"', "'")
    return f'Bearer realm="meilin", error="invalid_token", error_description="{said}"'


def refused(request: Request, error: Exception) -> Response:
    """Answers a refusal outside of GraphQL."""
    return refusal(cast(Refused, error))


def hung_up(request: Request, error: Exception) -> Response:
    """Answers a client that hung up during its request; only the count by status sees it."""
    return Response(status_code=499)


def fault(request: Request, error: Exception) -> Response:
    """Answers a fault of the server, masked and logged like one of a GraphQL field.

    Starlette raises it once more behind the answer, and the server hangs up: whoever asks next on the same
    connection should know.
    """
    errors = [presented(GraphQLError("", original_error=error)).formatted]
    return json_answer({"errors": errors}, 500, {"connection": "close"})
