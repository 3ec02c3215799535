"""What was asked for under a key is remembered as a fingerprint, made with a secret of this installation."""

import secrets
from typing import Any

from tortoise import fields
from tortoise.migrations import operations as ops
from tortoise.migrations.migration import Migration as Base

from community.database.ids import new_id


async def make_secret(apps: Any, editor: Any) -> None:
    value = f"INSERT INTO secret (id, value) VALUES ({new_id()}, '{secrets.token_hex(32)}')"
    await editor.client.execute_query(value)


class Migration(Base):
    dependencies = [("meilin", "0002_constraints")]

    operations = [
        ops.AddField("KeyedDeed", "fingerprint", fields.CharField(max_length=64, null=True)),
        ops.CreateModel(
            name="Secret",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=False, default=new_id)),
                ("value", fields.CharField(max_length=64)),
            ],
            options={"table": "secret", "app": "meilin", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.RunPython(make_secret),
    ]
