"""/graphql over HTTP, to the letter of GraphQL over HTTP."""

from datetime import datetime
from typing import Any

import orjson
from cross_web import AsyncHTTPRequestAdapter, HTTPException, StarletteRequestAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.types.execution import PreExecutionError

from api import bodies
from api.answers import refusal
from api.bodies import BoundedRequest
from api.clock import utc_now
from api.metrics import Metrics
from api.origins import Origins
from api.sessions import bearer, cookie_of, viewer_behind
from api.trusted import Trusted
from community.errors import Refused
from community.permissions import Viewer
from realtime.sources import LiveSources
from schema.context import Context
from schema.errors import presented
from schema.schema import PreparedSchema
from schema.sentences import misspoken

GRAPHQL_JSON, JSON = "application/graphql-response+json", "application/json"


class _JsonRequest(StarletteRequestAdapter):
    """One whose media type was looked at: Strawberry would compare its letters."""

    content_type = JSON


class GraphQLEndpoint(GraphQL[Context, None]):
    """Reads who asks, refuses what may not come in, and hands the rest to the schema."""

    request_adapter_class = _JsonRequest

    def __init__(
        self,
        schema: PreparedSchema,
        origins: Origins,
        sources: LiveSources,
        metrics: Metrics,
        most_cost: float,
        trusted: Trusted,
    ) -> None:
        super().__init__(schema, graphql_ide=None)
        self._origins, self._sources, self._metrics = origins, sources, metrics
        self._most_cost, self._trusted = most_cost, trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(BoundedRequest(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: BoundedRequest) -> Response:
        try:
            authorization = request.headers.get("authorization")
            secret = bearer(authorization) if authorization is not None else cookie_of(request, self._origins)
            bodies.check_json(request)
            await bodies.read(request)
            now = utc_now()  # complete: a ballot counts by this instant, however long it waits from here on
            viewer = await viewer_behind(secret, now, strict=authorization is not None)
            return await self.run(request, context=self._context(request, viewer, now))
        except bodies.Unread as refused:
            return refusal(refused, refused.status)
        except Refused as refused:
            return refusal(refused)
        except HTTPException as error:
            return refusal(misspoken(error.reason), error.status_code)

    def _context(self, request: Request, viewer: Viewer, now: datetime) -> Context:
        return Context(lambda: now, self._sources, viewer, request=request, most_cost=self._most_cost)

    async def execute_single(self, *, request: Request, sub_response: Response, **rest: Any) -> Any:  # type: ignore[override]
        result = await super().execute_single(request=request, sub_response=sub_response, **rest)
        if result.errors:  # what could not be parsed never came by the schema's extensions
            result.errors = [presented(error) for error in result.errors]
            self._metrics.count(error.formatted for error in result.errors)
        sub_response.graphql_json = _prefers_graphql_json(request.headers.get("accept", ""))  # type: ignore[attr-defined]
        sub_response.request_error = is_request_error(result)  # type: ignore[attr-defined]
        return result

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> Any:
        parsed = await super().parse_http_body(request)
        if isinstance(parsed, GraphQLRequestData) and not isinstance(parsed.operation_name, str | None):
            raise HTTPException(400, "The name of an operation is a string or null")
        return parsed

    def parse_query_params(self, params: Any) -> dict[str, Any]:
        return super().parse_query_params(self._trusted.with_text(params))

    def parse_json(self, data: str | bytes) -> Any:
        """A body, which comes as bytes, is an object, or a list that is refused as a batch."""
        parsed = super().parse_json(data)
        if isinstance(data, bytes) and not isinstance(parsed, dict | list):
            raise HTTPException(400, "A request is a JSON object")
        if bodies.repeats_a_key(data, parsed):
            raise HTTPException(400, "A key is given twice in one object")
        return parsed

    def should_render_graphql_ide(self, request: object) -> bool:
        return False  # /graphiql is the explorer

    def create_response(
        self, response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse], sub_response: Response
    ) -> Response:
        """A request never executed is a 400 for clients of the new media type (GraphQL over HTTP)."""
        graphql_json = getattr(sub_response, "graphql_json", False)
        body: object = response_data
        if graphql_json and sub_response.request_error and isinstance(response_data, dict):  # type: ignore[attr-defined]
            body = {key: value for key, value in response_data.items() if key != "data"}
            sub_response.status_code = 400
        response = Response(
            self.encode_json(body),
            status_code=sub_response.status_code or 200,
            media_type=f"{GRAPHQL_JSON if graphql_json else JSON}; charset=utf-8",
        )
        response.headers.raw.extend(sub_response.headers.raw)
        response.headers.add_vary_header("Accept")
        return response


def _prefers_graphql_json(accept: str) -> bool:
    """By weight, then by order; clients that say nothing get application/json as they always did."""
    weights: dict[str, tuple[float, int]] = {}
    for index, part in enumerate(accept.split(",")):
        media, *params = (piece.strip() for piece in part.split(";"))
        weight = next((piece[2:] for piece in params if piece.startswith("q=")), "1")
        try:
            weights[media] = (float(weight), -index)
        except ValueError:
            continue
    nothing = (0.0, 0)
    mine = weights.get(GRAPHQL_JSON, nothing)
    return mine[0] > 0 and mine > weights.get(JSON, nothing)


def is_request_error(result: Any) -> bool:
    """Parsing, validation, or choosing and coercing before execution: nothing has a path yet."""
    if result.data is not None or not result.errors:
        return False
    return isinstance(result, PreExecutionError) or all(error.path is None for error in result.errors)
