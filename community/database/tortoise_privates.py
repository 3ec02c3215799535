"""The only module that reaches into privates of Tortoise ORM.

What is reached: the method `_in_transaction` of a database client (tortoise-orm 1.1.9). `in_transaction()`,
and with it `atomic`, `get_or_create` and the migrations, asks it for the context that it enters.

Why the public door does not do: a client has no public method for it, and no option of Tortoise says how a
transaction begins. Its own contexts keep SQLite's lock for ever, or a connection of PostgreSQL's pool, when a
task is cancelled while it enters (tortoise-orm#1152, open), and on SQLite they begin deferred
(tortoise-orm#1675, open), so that a write after a read fails at once with "database is locked".

When it can go: tests/community/database/test_tortoise_privates.py shows both faults of the stock clients. As
soon as Tortoise lets a client say how its transactions begin, `transaction_context` becomes that.
"""

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionContext


class OwnTransactions(BaseDBAsyncClient):
    """A client whose transactions are entered as `transaction_context` says."""

    def transaction_context(self) -> TransactionContext:
        raise NotImplementedError

    def _in_transaction(self) -> TransactionContext:
        return self.transaction_context()
