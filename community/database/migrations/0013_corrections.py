"""The lives of notices and events as steps, and what they said before a correction.

Those that stand were published, by whoever signed them; that step has the id of its subject.
"""

from typing import Any

from tortoise import fields
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops
from tortoise.migrations.migration import Migration as Base

from community.database.corrections import guards_of_versions
from community.database.ids import new_id
from community.database.steps import guards_of_steps

WORDS = {
    "notice": ("title", "body", "effective_from", "effective_until"),
    "event": ("title", "description", "place"),
}

SIGNED_BY = {
    "notice": "t.organization_id",
    "event": (
        "(SELECT o.organization_id FROM event_organizer o WHERE o.event_id = t.id ORDER BY o.id LIMIT 1)"
    ),
}
PUBLISHED = """
INSERT INTO {table}_step (id, subject_id, number, step, organization_id, at)
SELECT t.id, t.id, 1, 'PUBLISHED', {signed_by}, t.published_at FROM {table} t
"""
FOLLOWED = "UPDATE {table} SET steps = 1, last_step = 'PUBLISHED'"


async def take_in(apps: Any, editor: Any) -> None:
    run = editor.client.execute_query
    postgres = editor.client.capabilities.dialect == "postgres"
    for table, words in WORDS.items():
        await run(PUBLISHED.format(table=table, signed_by=SIGNED_BY[table]))
        await run(FOLLOWED.format(table=table))
        for statement in (
            *guards_of_steps(table, f"{table}_step", postgres=postgres),
            *guards_of_versions(table, f"{table}_version", words, postgres=postgres),
        ):
            await run(statement)


def to(model: str, column: str, *, null: bool = False) -> Any:
    return fields.ForeignKeyField(  # type: ignore[call-overload]
        f"meilin.{model}",
        source_field=column,
        null=null,
        db_index=False,
        db_constraint=True,
        to_field="id",
        related_name=False,
        on_delete=OnDelete.RESTRICT,
    )


def key() -> Any:
    return fields.BigIntField(primary_key=True, generated=False, default=new_id)


def instant(*, null: bool = False) -> Any:
    return fields.DatetimeField(null=null, auto_now=False, auto_now_add=False)  # type: ignore[call-overload]


def of_subject(table: str) -> dict[str, Any]:
    return {"table": table, "app": "meilin", "pk_attr": "id", "unique_together": (("subject_id", "number"),)}


def steps(model: str) -> Any:
    return ops.CreateModel(
        name=f"{model}StepRecord",
        fields=[
            ("id", key()),
            ("number", fields.IntField()),
            ("actor", to("Account", "actor_id", null=True)),
            ("at", instant()),
            ("reason", fields.CharField(null=True, max_length=200)),
            ("organization", to("Organization", "organization_id", null=True)),
            ("subject", to(model, "subject_id")),
            ("step", fields.CharField(max_length=32)),
        ],
        options=of_subject(f"{model.lower()}_step"),
        bases=["Model"],
    )


def versions(model: str, *words: tuple[str, Any]) -> Any:
    return ops.CreateModel(
        name=f"{model}Version",
        fields=[
            ("id", key()),
            ("number", fields.IntField()),
            ("subject", to(model, "subject_id")),
            *words,
        ],
        options=of_subject(f"{model.lower()}_version"),
        bases=["Model"],
    )


def added(model: str) -> list[Any]:
    return [
        ops.AddField(model, "last_step", fields.CharField(null=True, max_length=32)),
        ops.AddField(model, "steps", fields.IntField(db_default=0)),
    ]


class Migration(Base):
    dependencies = [("meilin", "0012_households")]

    operations = [
        *added("Notice"),
        steps("Notice"),
        versions(
            "Notice",
            ("title", fields.CharField(max_length=120)),
            ("body", fields.TextField(unique=False)),
            ("effective_from", instant(null=True)),
            ("effective_until", instant(null=True)),
        ),
        *added("Event"),
        steps("Event"),
        versions(
            "Event",
            ("title", fields.CharField(max_length=120)),
            ("description", fields.TextField(unique=False)),
            ("place", fields.CharField(max_length=120)),
        ),
        ops.RunPython(take_in),
    ]
