"""/graphql over HTTP, to the letter of GraphQL over HTTP."""

from datetime import datetime
from typing import Any, NamedTuple, cast

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
from api.kept import KeptAnswers
from api.metrics import Metrics
from api.origins import Origins
from api.representations import GRAPHQL_JSON, JSON, Text, media_type, respond
from api.seen import say, seen_by
from api.sessions import bearer, cookie_of, viewer_behind
from api.settings import Settings
from api.trusted import Trusted
from api.viewers import KnownViewers
from community.database.work import WROTE
from community.errors import Refused
from community.permissions import Viewer
from realtime.fields import SubscribeRequest
from realtime.recent import Recent
from realtime.sources import LiveSources
from schema.context import Context
from schema.errors import presented
from schema.schema import PreparedSchema
from schema.sentences import misspoken


class _JsonRequest(StarletteRequestAdapter):
    """One whose media type was looked at: Strawberry would compare its letters."""

    content_type = JSON

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.request = cast(BoundedRequest, request)


MOST_QUESTIONS = 4 * 1024 * 1024
"""Bytes of requests that are known by their letters."""


class _Question(NamedTuple):
    """A request that only reads. `trusted`: it names a document of the page (GraphQL over HTTP, appendix A),
    so that its answer may be kept by whoever asked, and asked about by its tag.
    """

    request: SubscribeRequest
    trusted: bool


class GraphQLEndpoint(GraphQL[Context, None]):
    """Reads who asks, refuses what may not come in, and hands the rest to the schema, unless the answer is
    kept.
    """

    request_adapter_class = _JsonRequest

    def __init__(
        self,
        schema: PreparedSchema,
        settings: Settings,
        origins: Origins,
        sources: LiveSources,
        metrics: Metrics,
        kept: KeptAnswers,
        viewers: KnownViewers,
        trusted: Trusted,
    ) -> None:
        super().__init__(schema, graphql_ide=None)
        self._schema, self._origins, self._sources, self._metrics = schema, origins, sources, metrics
        self._most_cost, self._secure = settings.most_cost, settings.secure
        self._kept, self._viewers, self._trusted = kept, viewers, trusted
        self._questions = Recent[tuple[str, str, bytes, bytes], _Question](MOST_QUESTIONS)

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
            strict = authorization is not None
            if (question := await self._question(request)) is None:
                return await self._run(request, await viewer_behind(secret, now, strict=strict), now)
            viewer, text = await self._from_memory(request, question, secret, now, strict=strict)
            if text is None:
                response = await self._run(request, viewer, now)
                if request.state.failed or not question.trusted:
                    return response
                text = Text(bytes(response.body))
            return respond(request, text, tagged=question.trusted)
        except bodies.Unread as refused:
            return refusal(refused, refused.status)
        except Refused as refused:
            return refusal(refused)
        except HTTPException as error:
            return refusal(misspoken(error.reason), error.status_code)

    async def _question(self, request: BoundedRequest) -> _Question | None:
        """What is asked, if nothing can change by it; None also of what is not understood, which Strawberry
        refuses.
        """
        if request.method not in ("GET", "POST"):
            return None
        accept = request.headers.get("accept", "")
        letters = accept, request.method, request.scope["query_string"], await request.body()
        if (known := self._questions.get(letters)) is not None:
            return known
        adapter = self.request_adapter_class(request)
        try:
            data = await self.parse_http_body(adapter)
        except (HTTPException, Refused, ValueError):
            return None
        if not isinstance(data, GraphQLRequestData) or data.protocol != "http" or not data.query:
            return None
        if self._schema.prepared.of(data.query).audience is None:
            return None
        asked = SubscribeRequest(data.query, data.variables, data.operation_name)
        question = _Question(asked, request.method == "GET" and "documentId" in request.query_params)
        self._questions.put(letters, question, 3 * sum(map(len, letters)) + 1_000)
        return question

    async def _from_memory(
        self, request: Request, question: _Question, secret: str | None, now: datetime, *, strict: bool
    ) -> tuple[Viewer, Text | None]:
        """Who asks, and what is kept for whoever may see the same. Both are asked for anew if something that
        the client has seen is not known here yet. Raises Unauthenticated.
        """
        seen = seen_by(request)
        if seen is None or self._kept.versions.behind(seen) or not self._kept.usable:
            return await viewer_behind(secret, now, strict=strict), None
        viewer = await self._viewers.behind(secret, now, strict=strict)
        audience = self._kept.audience(question.request, viewer)
        if audience is None or not self._kept.usable:  # the database may have been slow
            return viewer, None
        return viewer, await self._kept.answer(question.request, audience, viewer, now)

    async def _run(self, request: BoundedRequest, viewer: Viewer, now: datetime) -> Response:
        """Has it executed for its viewer, and says what that has written."""
        wrote: dict[int | None, int] = {}
        token = WROTE.set(wrote)
        try:
            response = await self.run(request, context=self._context(request, viewer, now))
        finally:
            WROTE.reset(token)
        if wrote:
            with_cookie = "authorization" not in request.headers
            before = {} if with_cookie else seen_by(request) or {}  # each cookie stays by itself
            say(response, {**before, **wrote}, cookie=with_cookie, secure=self._secure)
        return response

    def _context(self, request: Request, viewer: Viewer, now: datetime) -> Context:
        return Context(lambda: now, self._sources, viewer, request=request, most_cost=self._most_cost)

    async def execute_single(self, *, request: Request, sub_response: Response, **rest: Any) -> Any:  # type: ignore[override]
        result = await super().execute_single(request=request, sub_response=sub_response, **rest)
        request.state.failed = bool(result.errors)
        if result.errors:  # what could not be parsed never came by the schema's extensions
            result.errors = [presented(error) for error in result.errors]
            self._metrics.count(error.formatted for error in result.errors)
        graphql_json = media_type(request.headers.get("accept", "")) == GRAPHQL_JSON
        sub_response.graphql_json = graphql_json  # type: ignore[attr-defined]
        sub_response.request_error = is_request_error(result)  # type: ignore[attr-defined]
        return result

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> Any:
        whole = cast(_JsonRequest, request).request
        if whole.parsed is not None:
            return whole.parsed
        parsed = await super().parse_http_body(request)
        if isinstance(parsed, GraphQLRequestData) and not isinstance(parsed.operation_name, str | None):
            raise HTTPException(400, "The name of an operation is a string or null")
        whole.parsed = parsed
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


def is_request_error(result: Any) -> bool:
    """Parsing, validation, or choosing and coercing before execution: nothing has a path yet."""
    if result.data is not None or not result.errors:
        return False
    return isinstance(result, PreExecutionError) or all(error.path is None for error in result.errors)
