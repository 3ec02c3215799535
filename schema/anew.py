"""What a mutation wrote is seen by all that is asked for behind it."""

from typing import Any

from strawberry.extensions.field_extension import AsyncExtensionResolver, FieldExtension

from schema.context import Info


class Anew(FieldExtension):
    """Mutations of one document run one after the other, each with what is selected below it."""

    async def resolve_async(
        self, next_: AsyncExtensionResolver, source: Any, info: Info, **given: Any
    ) -> Any:
        info.context.renew()
        return await next_(source, info, **given)


ANEW = Anew()
"""`strawberry.mutation(…, extensions=[ANEW])`: on every mutation, as a test says."""
