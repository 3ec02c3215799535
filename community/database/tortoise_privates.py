"""The only module that reaches into privates of Tortoise ORM (tortoise-orm 1.1.9).

What is reached: the method `_in_transaction` of a database client, which `in_transaction()`, and with it
`atomic`, `get_or_create` and the migrations, asks for the context that it enters; and the method
`_project_state` of the executor of migrations, which makes the models that it begins with.

Why the public door does not do: a client has no public method for it, and no option of Tortoise says how a
transaction begins. Its own contexts keep SQLite's lock for ever, or a connection of PostgreSQL's pool, when a
task is cancelled while it enters (tortoise-orm#1152, open), and on SQLite they begin deferred
(tortoise-orm#1675, open), so that a write after a read fails at once with "database is locked". And before
each operation the executor builds every model anew, to remember what was before (tortoise-orm#2274, open),
which is four fifths of the time that a new database takes; it takes no other kind of state.

When it can go: tests/community/database/test_tortoise_privates.py shows these faults of the stock classes. As
soon as Tortoise lets a client say how its transactions begin, `transaction_context` becomes that; as soon as
it remembers models without building them, `ForwardExecutor` is its own.
"""

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionContext
from tortoise.migrations.executor import MigrationExecutor
from tortoise.migrations.graph import MigrationKey
from tortoise.migrations.schema_generator.state import State


class OwnTransactions(BaseDBAsyncClient):
    """A client whose transactions are entered as `transaction_context` says."""

    def transaction_context(self) -> TransactionContext:
        raise NotImplementedError

    def _in_transaction(self) -> TransactionContext:
        return self.transaction_context()


class OneState(State):
    """The models as they are; what they were before an operation is not kept."""

    def clone(self) -> "OneState":
        return self


class ForwardExecutor(MigrationExecutor):
    """Applies operations none of which asks what the models were before it."""

    async def _project_state(
        self, applied: set[MigrationKey], *, upto: MigrationKey | None = None
    ) -> OneState:
        state = await super()._project_state(applied, upto=upto)
        return OneState(state.models, state.apps)
