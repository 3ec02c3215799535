"""Which communities the demonstration made, so that its accounts have rights in no other; sessions by their end.

One that was ended is no longer marked but removed.
"""

from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations import operations as ops
from tortoise.migrations.migration import Migration as Base

# Known by its slug and by its first owner: a real community may well be named like one of them.
_MARK = """
UPDATE community SET demonstration = TRUE
 WHERE slug IN ('meizai-meicheng', 'zijin-xiyuan', 'qiantang-shanshuiwan') AND EXISTS (
   SELECT 1 FROM account a JOIN co_owner o ON o.account_id = a.id JOIN owner_party p ON p.id = o.party_id
    WHERE a.demonstration = TRUE AND a.name = community.slug || '/resident-1' AND p.community_id = community.id
 )
"""


_REMOVE_ENDED = "DELETE FROM session WHERE revoked_at IS NOT NULL"


async def mark(apps: Any, editor: Any) -> None:
    for statement in (_MARK, _REMOVE_ENDED):
        await editor.client.execute_query(statement)


class Migration(Base):
    dependencies = [("meilin", "0004_attempts")]

    operations = [
        ops.AddField("Community", "demonstration", fields.BooleanField(default=False, db_default=False)),
        ops.RunPython(mark),
        ops.AddIndex("Session", Index(fields=["expires_at"])),
    ]
