"""What is due is called a job, remembers its last failure, and may be a message with a payload.

The column is renamed where it stands: on neither engine is a table built anew, and its unique constraint stays.
"""

from typing import Any

from tortoise import fields
from tortoise.migrations import operations as ops
from tortoise.migrations.migration import Migration as Base


async def rename(apps: Any, editor: Any) -> None:
    await editor.client.execute_query("ALTER TABLE due RENAME COLUMN deed TO job")


class Migration(Base):
    dependencies = [("meilin", "0007_journal")]
    gives_up = (
        "column due.deed",
        "unique due(deed,subject)",
        "constraint due.uid_due_deed_0d93b8",
        "index uid_due_deed_0d93b8",
        "rows of due",  # under another name: a test of its own compares them
    )

    operations = [
        ops.RunPython(rename),
        ops.AddField("Due", "payload", fields.TextField(null=True)),
        ops.AddField("Due", "error", fields.CharField(max_length=100, null=True)),
        ops.AddField("Due", "error_text", fields.CharField(max_length=200, null=True)),
        ops.AddField("Due", "failed_at", fields.DatetimeField(null=True)),
        ops.AddField("Due", "retries", fields.IntField(db_default=0)),
    ]
