"""The executor: graphql-core's own, but for what is completed by generated functions."""

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from typing import Any, ClassVar

from graphql import GraphQLList, GraphQLObjectType, GraphQLOutputType, GraphQLResolveInfo
from graphql.execution import Executor, default_field_resolver, default_type_resolver
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils import AwaitableOrValue, Path, is_awaitable

from compiled.plans import Finder, Plan, Plans


class CompiledExecutor(Executor[Any]):
    """Give it as `executor_class`, or put it before another executor among the bases of a class.

    It overrides how lists and objects are completed, and nothing else. What surprises a generated function is
    completed by the next class, from the value that is there.
    """

    plans: ClassVar[Plans] = Plans()

    awaitable_tests: ClassVar[tuple[Callable[[Any], bool], ...]] = (is_awaitable,)
    """Those that say of a value what graphql-core's own says. With another one nothing is compiled."""

    _finder: Finder | None = None
    _asked = False

    def complete_list_value(
        self,
        return_type: GraphQLList[GraphQLOutputType],
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: AsyncIterable[Any] | Iterable[Any],
        position_context: Any,
    ) -> AwaitableOrValue[list[Any]]:
        if position_context is None and (type(result) is list or type(result) is tuple):
            plan = self._plan(return_type, field_details_list, len(result))
            if plan is not None:
                made: list[Any] | None = _run(plan, result, info)
                if made is not None:
                    return made
        return super().complete_list_value(
            return_type, field_details_list, info, path, result, position_context
        )

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        if position_context is None:
            plan = self._plan(return_type, field_details_list, 1)
            if plan is not None:
                made = _run(plan, result, info)
                if made is not None:
                    return self._with_rest(made, plan, return_type, result, path) if plan.rest else made
        return super().complete_object_value(
            return_type, field_details_list, info, path, result, position_context
        )

    def _with_rest(
        self, made: dict[str, Any], plan: Plan, kind: GraphQLObjectType, source: Any, path: Path
    ) -> AwaitableOrValue[dict[str, Any]]:
        """What graphql-core executes of an object, at its places."""
        rest = self.execute_fields(kind, source, path, plan.rest, None)
        if self.is_awaitable(rest):
            return _joined(made, rest)
        made.update(rest)  # type: ignore[arg-type]
        return made

    def _plan(self, kind: GraphQLOutputType, details: FieldDetailsList, objects: int) -> Plan | None:
        if not self._asked:
            self._asked = True
            self._finder = self.plans.of(self) if self._is_usual() else None
        finder = self._finder
        return finder.of(self, kind, details, objects) if finder else None

    def _is_usual(self) -> bool:
        manager = self.middleware_manager
        return (
            self.abort_signal is None
            and not (manager and manager.middlewares)
            and self.field_resolver is default_field_resolver
            and self.type_resolver is default_type_resolver
            and self.is_awaitable in self.awaitable_tests
        )


def _run(plan: Plan, value: Any, info: GraphQLResolveInfo[Any]) -> Any:
    """None where graphql-core has to complete the value."""
    run = plan.run
    if run is None:
        return None
    try:
        made = run(value, info)
    except Exception:  # whatever it is, graphql-core says it
        plan.surprised()
        return None
    plan.served += 1
    return made


async def _joined(made: dict[str, Any], rest: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    made.update(await rest)
    return made
