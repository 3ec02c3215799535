"""The app: one value, built in one place from its settings."""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from multiprocessing import parent_process
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from api import health
from api.answering import Answering
from api.answers import fault, hung_up, refused
from api.clock import clock, keep_looking, look, utc_now
from api.graphql import GraphQLEndpoint
from api.guard import Guard
from api.kept import KeptAnswers
from api.logs import configure
from api.mail import Mailer
from api.metrics import Metrics
from api.origins import Origins, origin_of
from api.outbox import Outbox, Sender
from api.page import Pages
from api.probe import DatabaseProbe
from api.requests import Requests
from api.sessions import Sessions
from api.settings import Settings
from api.sockets import Sockets
from api.timers import OPERATOR_MAIL, Timers
from api.trusted import Trusted
from api.viewers import KnownViewers
from community.database.due import pause_while
from community.database.engine import opened
from community.database.journal import Written
from community.database.migrate import pending
from community.database.work import all_done, publish_through
from community.errors import Refused, TryAgain
from realtime.asking_again import AskingAgain
from realtime.authorization import AuthorizationRegistry
from realtime.broker import MemoryBroker
from realtime.groups import Groups
from realtime.pacing import WritePacer
from realtime.poller import JournalPoller
from realtime.redis_broker import RedisBroker
from realtime.registry import SubscriptionRegistry
from realtime.sources import LiveSources
from schema.executable import ExecutableSchema
from schema.schema import schema_of

LAST_ACTIONS = 5.0
"""Seconds for actions still under way at the end; what waits longer is undone."""


class NotMigrated(RuntimeError):
    """The database lacks migrations; its text is what the operator reads."""


class App(Starlette):
    """Sockets go straight to theirs: what wraps a request would only make each of thousands larger."""

    def __init__(self, *, settings: Settings, sockets: Sockets, metrics: Metrics, **given: Any) -> None:
        super().__init__(**given)
        self.sockets = sockets
        self._guard = Guard(super().__call__, settings)
        self._requests = Requests(self._guard, metrics)  # around all, so that faults are counted too
        self.state.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await super().__call__(scope, receive, send)
        elif scope["type"] == "http":
            await self._requests(scope, receive, send)
        else:
            await receive()  # that somebody knocks
            try:
                self._guard.check(scope)
                await self.sockets(scope, receive, send)
            except Refused as problem:
                await self._guard.turn_away(problem, scope, receive, send)


def create_app(settings: Settings) -> App:
    broker = RedisBroker(settings.redis_url) if settings.redis_url else MemoryBroker()
    sources = LiveSources(broker, settings.live_pause)
    authorizations = AuthorizationRegistry()
    broker.listen(authorizations.handle)  # what a gap swallows of rights the journal tells within two seconds
    poller = JournalPoller(broker.dispatch, broker.resync, authorizations.resync)
    broker.saw = poller.versions.saw
    viewers = KnownViewers(poller.versions)
    broker.listen(viewers.handle)
    broker.on_resync(viewers.forget)
    metrics = Metrics(poller)
    groups = Groups(WritePacer(settings.live_share), metrics.delivered)
    schema = schema_of(compiled=settings.compiled)
    registry = SubscriptionRegistry(
        ExecutableSchema(utc_now, sources, schema), sources, groups, metrics.count
    )
    kept = KeptAnswers(
        schema, sources, poller.versions, most_bytes=settings.kept_answers, most_cost=settings.most_cost
    )
    metrics.observe_answers(kept)
    asking_again = AskingAgain(groups)
    broker.listen(asking_again.handle)
    broker.on_resync(asking_again.resync)
    answering = Answering(schema, sources, kept, settings.most_cost)
    sockets = Sockets(settings, answering, registry, authorizations, metrics)
    metrics.observe(sources, groups, sockets)
    senders = _senders(settings)
    timers = Timers(mails_operator=OPERATOR_MAIL in senders)
    outbox = Outbox(senders, mails_operator=OPERATOR_MAIL in senders)
    metrics.observe_clock(clock, timers)

    def written(rows: Written) -> None:
        broker.wrote(rows)
        poller.pass_over(rows)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with opened(settings.database_url):
            with suppress(TryAgain):  # away: a worker that is replaced just then must not end all of them
                if missing := await pending(settings.database_url):
                    raise NotMigrated(f"the database lacks {', '.join(missing)}; run `meilin migrate` first")
            _end_with_the_supervisor()
            with suppress(Exception):  # away: until it was looked at nothing is opened or closed
                await look(clock)
            stop_publishing, stop_pausing = (
                publish_through(broker.publish, written),
                pause_while(lambda: clock.doubtful),
            )
            tasks = [
                asyncio.create_task(poller.poll()),
                asyncio.create_task(keep_looking(clock)),
                asyncio.create_task(timers.keep_running()),
                asyncio.create_task(outbox.keep_running()),
            ]
            if isinstance(broker, RedisBroker):
                tasks.append(asyncio.create_task(broker.keep_connected()))
            if metrics.shared:
                tasks.append(asyncio.create_task(metrics.keep_looking()))
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LAST_ACTIONS):
                        await asyncio.wait(tasks)  # the timers begin nothing more
                        await answering.all_answered()
                        await all_done()
                stop_publishing()
                stop_pausing()
                clock.forget()

    origins = Origins(settings.public_url, settings.allowed_origins)
    sessions = Sessions(settings, origins)
    pages = Pages(origin_of(settings.public_url) or settings.public_url)
    endpoint = GraphQLEndpoint(schema, settings, origins, sources, metrics, kept, viewers, Trusted.built())
    app = App(
        settings=settings,
        sockets=sockets,
        metrics=metrics,
        routes=[
            Route("/graphql", endpoint, methods=["GET", "POST"]),
            Route("/session", sessions.answer, methods=["POST", "DELETE"]),
            Route("/health/live", health.liveness),
            Route("/health/ready", health.readiness),
            Route("/metrics", metrics.answer),
            *pages.routes(),
        ],
        middleware=[Middleware(GZipMiddleware, minimum_size=1024)],
        exception_handlers={
            404: pages.not_found,
            Refused: refused,
            ClientDisconnect: hung_up,
            Exception: fault,
        },
        lifespan=lifespan,
    )
    app.state.sources = sources
    app.state.broker = broker
    app.state.probe = DatabaseProbe()
    app.state.clock = clock
    app.state.timers = timers
    return app


def _senders(settings: Settings) -> dict[str, Sender]:
    """How each kind of message is sent."""
    if not settings.smtp_url:
        return {}
    return {OPERATOR_MAIL: Mailer(settings.smtp_url, settings.operator_mail).send}


def _end_with_the_supervisor() -> None:
    """Ends a worker whose parent was killed: it would hold the port for ever."""
    if supervisor := parent_process():
        loop, gone = asyncio.get_running_loop(), supervisor.sentinel

        def end() -> None:
            loop.remove_reader(gone)
            signal.raise_signal(signal.SIGTERM)

        loop.add_reader(gone, end)


COLLECTED_AFTER = 20_000, 50, 20
"""Objects more than there were before the youngest are looked through, and looks at each age before one at
the next. Little is left to the collector; how much waits for it is what memory stands above its need. What
is under way when the youngest are looked through grows old: it is looked for fifty looks on, not a thousand.
"""


def spare_the_collector() -> None:
    """What lives as long as the process is not looked through again for garbage, and what ten thousand
    sockets keep is looked through rarely: else a look takes longer than a moment reaching all of them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)


def from_environment() -> App:
    """The app of one of several worker processes."""
    settings = Settings.from_environment()
    configure(settings.log_level)
    app = create_app(settings)
    spare_the_collector()
    return app
