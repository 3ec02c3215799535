"""What HTTP says besides GraphQL results: refusals with the same code and sentences."""

from typing import Any, cast

import orjson
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response

from community.errors import ErrorCode, Refused
from schema.errors import numbered, presented, request_id, waiting

STATUS = {
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.OUTCOME_UNKNOWN: 503,
    ErrorCode.TRY_AGAIN: 503,
}


def json_answer(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


def refusal(refused: Refused, status: int | None = None) -> Response:
    """In the form of a GraphQL error, so that clients read one shape everywhere."""
    extensions = {"code": refused.code.value, "zh": refused.zh, "en": refused.en}
    errors = [
        {
            "message": refused.en,
            "extensions": extensions | waiting(refused) | numbered(request_id.get()),
        }
    ]
    answer = json_answer({"errors": errors}, status or STATUS.get(refused.code, 400))
    if refused.retry_after is not None:
        answer.headers["retry-after"] = str(refused.retry_after)
    return answer


def refused(request: Request, error: Exception) -> Response:
    """What was refused outside of GraphQL."""
    return refusal(cast(Refused, error))


def hung_up(request: Request, error: Exception) -> Response:
    """The client is gone before it had asked; nobody reads this, but requests are counted by status."""
    return Response(status_code=499)


def fault(request: Request, error: Exception) -> Response:
    """What is our fault, masked and logged like one of a GraphQL field."""
    return json_answer({"errors": [presented(GraphQLError("", original_error=error)).formatted]}, 500)
