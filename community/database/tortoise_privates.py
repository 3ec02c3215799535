"""The only module that reaches into privates of Tortoise ORM (tortoise-orm 1.1.9).

What is reached: the method `_in_transaction` of a database client, which `in_transaction()`, and with it
`atomic`, `get_or_create` and the migrations, asks for the context that it enters; and the method
`_project_state` of the executor of migrations, which makes the models that it begins with, `_reload` of these
models, and `_build_initial_querysets` of their registry.

Why the public door does not do: a client has no public method for it, and no option of Tortoise says how a
transaction begins. Its own contexts keep SQLite's lock for ever, or a connection of PostgreSQL's pool, when a
task is cancelled while it enters (tortoise-orm#1152, open), and on SQLite they begin deferred
(tortoise-orm#1675, open), so that a write after a read fails at once with "database is locked". And before
each operation the executor builds every model anew, to remember what was before, and finishes every one anew
after it (tortoise-orm#2274, open): seven eighths of the time that a new database takes. It lets nobody give
it another state.

When it can go: tests/community/database/test_tortoise_privates.py shows these faults of the stock classes. As
soon as Tortoise lets a client say how its transactions begin, `transaction_context` becomes that; as soon as
it builds only the models that an operation changes, `MigrationExecutor` does for `ForwardExecutor`.
"""

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionContext
from tortoise.migrations.executor import MigrationExecutor
from tortoise.migrations.graph import MigrationKey
from tortoise.migrations.schema_generator.state import State
from tortoise.migrations.schema_generator.state_apps import StateApps
from tortoise.models import Model


class OwnTransactions(BaseDBAsyncClient):
    """A client whose transactions are entered as `transaction_context` says."""

    def transaction_context(self) -> TransactionContext:
        raise NotImplementedError

    def _in_transaction(self) -> TransactionContext:
        return self.transaction_context()


class OneApps(StateApps):
    """Each model is finished once, and not with every other one anew after each operation."""

    def __init__(self, default_connections: dict[str, str]) -> None:
        super().__init__(default_connections)
        self.finished: set[type[Model]] = set()

    def _build_initial_querysets(self) -> None:
        every = self.apps
        self.apps = {
            app: {name: model for name, model in models.items() if model not in self.finished}
            for app, models in every.items()
        }
        super()._build_initial_querysets()
        self.finished |= {
            model for models in self.apps.values() for model in models.values() if model._meta._inited
        }
        self.apps = every


class OneState(State):
    """The models as they are; what they were before an operation is not kept."""

    replaying = False
    """Meanwhile nobody asks for a model, only what makes one is noted."""

    def clone(self) -> "OneState":
        return self

    def _reload(self, models_to_reload: set[tuple[str, str]]) -> None:
        if not self.replaying:
            super()._reload(models_to_reload)


class ForwardExecutor(MigrationExecutor):
    """Applies operations none of which asks what the models were before it."""

    async def _project_state(
        self, applied: set[MigrationKey], *, upto: MigrationKey | None = None
    ) -> OneState:
        """The models as the migrations left them that were applied, built once."""
        state = OneState({}, OneApps(dict.fromkeys(self.loader.apps_config, "default")))
        state.replaying = True
        for key in self._full_plan():
            if key == upto:
                break
            migration = self.loader.graph.nodes[key]
            if key in applied and migration:
                await migration.apply(state, dry_run=True)
        state.replaying = False
        state._reload(set(state.models))
        return state
