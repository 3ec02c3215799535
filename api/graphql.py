"""/graphql: GraphQL over HTTP to the letter, and subscriptions over graphql-transport-ws."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import orjson
from cross_web import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry import Schema
from strawberry.asgi import ASGIWebSocketAdapter, GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import GraphQLHTTPResponse
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import ConnectionInitMessage, Message
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from api import bodies
from api.answers import refusal
from api.clock import utc_now
from api.metrics import Metrics
from api.sessions import check_origin, secret_of, viewer_behind
from api.settings import Settings
from community.errors import ErrorCode, InvalidInput, Refused, TryAgain
from community.permissions import Viewer
from realtime.standing import Standing, Standings
from schema.context import Context
from schema.errors import presented
from schema.schema import graphql_schema
from schema.watching import Watching

GRAPHQL_JSON, JSON = "application/graphql-response+json", "application/json"
TRY_AGAIN_LATER = 1013


class TextAdapter(ASGIWebSocketAdapter):
    """orjson gives bytes, which the stock adapter would send as a binary frame."""

    async def send_json(self, message: Mapping[str, object]) -> None:
        try:
            await self.ws.send_text(orjson.dumps(message).decode())
        except (WebSocketDisconnect, RuntimeError) as error:  # Starlette raises either after a close
            raise WebSocketDisconnected from error

    async def close(self, code: int, reason: str) -> None:
        """Of two who close one line the second does nothing."""
        with suppress(WebSocketDisconnect, RuntimeError):
            await super().close(code, reason)


class _OnlySubscriptions:
    """The schema as a socket may use it; a mutation there would be cut when the line is."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    async def stream(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["allowed_operation_types"] = [OperationType.SUBSCRIPTION]
        return await self._schema.stream(*args, **kwargs)


class SubscriptionHandler(BaseGraphQLTransportWSHandler[Context, None]):
    def __init__(self, **given: Any) -> None:
        super().__init__(**given | {"schema": _OnlySubscriptions(given["schema"])})

    async def handle_message(self, message: Message) -> None:
        """The stock handler looks into a message before it knows that it is one."""
        if _is_message(message):
            await super().handle_message(message)
        else:
            await self.handle_invalid_message("Failed to parse message")

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        try:
            await super().handle_connection_init(message)
        except TryAgain:
            await self._send_away()

    async def send_message(self, message: Message) -> None:
        errors = _errors_in(message)
        self.view.count(errors)  # type: ignore[attr-defined]
        if any(error["extensions"]["code"] == ErrorCode.TRY_AGAIN for error in errors):
            await self._send_away()
        else:
            await super().send_message(message)

    async def handle_task_exception(self, error: Exception) -> None:
        """A client that is gone before its next message is no fault."""
        if not isinstance(error, WebSocketDisconnected):
            await super().handle_task_exception(error)

    async def _send_away(self) -> None:
        """After this code stock clients come back by themselves, which they do not after an error."""
        await self.websocket.close(code=TRY_AGAIN_LATER, reason="Try again later")

    async def _handle_pre_execution_error(
        self, operation: Operation[Context, None], result: PreExecutionError
    ) -> None:
        """A document that cannot be read is one operation's error, no reason to end the others."""
        await operation.send_initial_errors([presented(error) for error in result.errors or ()])


def _errors_in(message: Message) -> Sequence[Mapping[str, Any]]:
    if message["type"] == "error":
        return message["payload"]
    return message["payload"].get("errors", ()) if message["type"] == "next" else ()


def _is_message(message: object) -> bool:
    if not isinstance(message, dict) or not isinstance(message.get("id", ""), str):
        return False
    if message.get("type") != "subscribe":
        return True
    payload = message.get("payload")
    return (
        isinstance(payload, dict)
        and isinstance(payload.get("query"), str)
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
    )


class GraphQLEndpoint(GraphQL[Context, None]):
    """Reads who asks, refuses what may not come in, and hands the rest to the schema."""

    websocket_adapter_class = TextAdapter
    graphql_transport_ws_handler_class = SubscriptionHandler

    def __init__(
        self, settings: Settings, watching: Watching, standings: Standings, metrics: Metrics
    ) -> None:
        super().__init__(
            graphql_schema,
            graphql_ide=None,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
            connection_init_wait_timeout=timedelta(seconds=10),
            allowed_origins=[settings.public_url],
        )
        self._settings, self._watching, self._standings = settings, watching, standings
        self._metrics = metrics

    def count(self, errors: Iterable[Mapping[str, Any]]) -> None:
        """Counts errors as they go out, by their code."""
        for error in errors:
            self._metrics.errors.labels(error["extensions"]["code"]).inc()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            response = await self._answer(Request(scope, receive))
            await response(scope, receive, send)
        else:
            await self._serve_socket(WebSocket(scope, receive, send))

    def _context(self, connection: HTTPConnection, clock: Callable[[], datetime]) -> Context:
        async def renew() -> Viewer:
            context.viewer = await viewer_behind(context.secret, utc_now(), strict=False)
            return context.viewer

        context = Context(clock, self._watching, Standing(renew, utc_now), request=connection)
        return context

    async def _answer(self, request: Request) -> Response:
        # One request has one moment: the clock stands still once somebody asked it.
        context = self._context(request, cache(utc_now))
        try:
            check_origin(request, self._settings)
            await bodies.read(request)
            context.secret = secret_of(request)
            strict = "authorization" in request.headers
            context.viewer = await viewer_behind(context.secret, utc_now(), strict=strict)
            return await self.run(request, context=context)
        except bodies.Unread as refused:
            return refusal(refused, refused.status)
        except Refused as refused:
            return refusal(refused)
        except HTTPException as error:
            return refusal(
                InvalidInput(problem_zh="请求的写法不对", problem_en=error.reason), error.status_code
            )

    async def _serve_socket(self, socket: WebSocket) -> None:
        context = self._context(socket, utc_now)
        try:
            await self.run(socket, context=context)
        finally:
            self._standings.forget(context.standing)

    async def on_ws_connect(self, context: Context) -> Any:
        """Who the socket is for, as its first message says; a token that opens nothing is refused (4403)."""
        params = context.connection_params or {}
        strict = "Authorization" in params or "authorization" in context.request.headers
        try:
            context.secret = secret_of(context.request, params)
            context.viewer = await viewer_behind(context.secret, utc_now(), strict=strict)
        except TryAgain:
            raise
        except Refused as refused:
            raise ConnectionRejectionError from refused
        if context.viewer.account is not None:
            self._standings.keep(context.viewer.account, context.standing)
        return await super().on_ws_connect(context)

    async def execute_single(self, *, request: Request, sub_response: Response, **rest: Any) -> Any:  # type: ignore[override]
        result = await super().execute_single(request=request, sub_response=sub_response, **rest)
        if result.errors:  # what could not be parsed never came by the schema's extensions
            result.errors = [presented(error) for error in result.errors]
            self.count([error.formatted for error in result.errors])
        sub_response.graphql_json = _prefers_graphql_json(request.headers.get("accept", ""))  # type: ignore[attr-defined]
        sub_response.request_error = _is_request_error(result)  # type: ignore[attr-defined]
        return result

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    def parse_json(self, data: str | bytes) -> Any:
        """A body, which comes as bytes, is an object, or a list that is refused as a batch."""
        parsed = super().parse_json(data)
        if isinstance(data, bytes) and not isinstance(parsed, dict | list):
            raise HTTPException(400, "A request is a JSON object")
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
    for place, part in enumerate(accept.split(",")):
        media, *params = (piece.strip() for piece in part.split(";"))
        weight = next((piece[2:] for piece in params if piece.startswith("q=")), "1")
        try:
            weights[media] = (float(weight), -place)
        except ValueError:
            continue
    nothing = (0.0, 0)
    mine = weights.get(GRAPHQL_JSON, nothing)
    return mine[0] > 0 and mine > weights.get(JSON, nothing)


def _is_request_error(result: Any) -> bool:
    """Parsing, validation, or choosing and coercing before execution: nothing has a path yet."""
    if result.data is not None or not result.errors:
        return False
    return isinstance(result, PreExecutionError) or all(error.path is None for error in result.errors)
