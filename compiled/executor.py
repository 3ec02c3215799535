"""The executor: graphql-core's own, but for what is completed by generated functions."""

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from copy import copy
from inspect import isawaitable
from typing import Any, ClassVar

from graphql import GraphQLList, GraphQLObjectType, GraphQLOutputType, GraphQLResolveInfo, OperationType
from graphql.execution import Executor, default_field_resolver, default_type_resolver
from graphql.execution.collect_fields import FieldDetailsList
from graphql.execution.executor import CollectedErrors
from graphql.pyutils import AwaitableOrValue, Path, is_awaitable

from compiled.plans import Finder, Plan, Plans

MUTATION = OperationType.MUTATION
"""What is done is done once: loaded fields of its answer are left to graphql-core, as it may not be executed
again.
"""


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
    _gathered = False
    _alone = False

    def execute_operation(self, serially: bool | None = None) -> AwaitableOrValue[Any]:
        made = super().execute_operation(serially)
        return self._later(made, serially) if isawaitable(made) else self._as_alone(made, serially)

    async def _later(self, made: Awaitable[Any], serially: bool | None) -> Any:
        answer = self._as_alone(await made, serially)
        return await answer if isawaitable(answer) else answer

    def _as_alone(self, made: Any, serially: bool | None) -> AwaitableOrValue[Any]:
        """What fails first hides what fails later, and to graphql-core alone loaded fields come at another
        time: so where there are errors, it says them all.
        """
        if not (self._gathered and getattr(made, "errors", None)):
            return made
        for error in made.errors:
            _forget_frames(error)
        alone = copy(self)
        alone.collected_errors = CollectedErrors()
        alone.context_value = self.context_again()
        alone._alone, alone._gathered, alone._finder = True, False, None
        return alone.execute_operation(serially)

    def context_again(self) -> Any:
        """That in which it is executed once more: its loaders have found nothing yet, but need not read again
        what was read.
        """
        return self.context_value

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
                complete = super().complete_list_value

                def otherwise() -> AwaitableOrValue[list[Any]]:
                    return complete(return_type, field_details_list, info, path, result, None)

                self._gathered |= bool(plan.wishes)
                return _completed(plan, result, info, otherwise)
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
                complete = super().complete_object_value

                def otherwise() -> AwaitableOrValue[dict[str, Any]]:
                    return complete(return_type, field_details_list, info, path, result, None)

                def rest(made: dict[str, Any]) -> AwaitableOrValue[dict[str, Any]]:
                    return self._with_rest(made, plan, return_type, result, path)

                self._gathered |= bool(plan.wishes)
                return _completed(plan, result, info, otherwise, rest if plan.rest else None)
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
        plan = finder.of(self, kind, details, objects) if finder else None
        return None if plan and plan.wishes and self.operation.operation is MUTATION else plan

    def _is_usual(self) -> bool:
        manager = self.middleware_manager
        return (
            self.abort_signal is None
            and not (manager and manager.middlewares)
            and self.field_resolver is default_field_resolver
            and self.type_resolver is default_type_resolver
            and self.is_awaitable in self.awaitable_tests
        )


Otherwise = Callable[[], AwaitableOrValue[Any]]
"""Completes the value without a plan."""

Rest = Callable[[dict[str, Any]], AwaitableOrValue[Any]]


def _completed(
    plan: Plan, value: Any, info: GraphQLResolveInfo[Any], otherwise: Otherwise, rest: Rest | None = None
) -> AwaitableOrValue[Any]:
    """By the plan, or else by graphql-core, which says whatever there is to say."""
    try:
        for level in range(len(plan.wishes)):
            if loading := _wanted(plan, level, value, info):
                return _completed_later(loading, level, plan, value, info, otherwise, rest)
    except Exception as error:
        _note(plan, error)
        return otherwise()
    return _run(plan, value, info, otherwise, rest)


async def _completed_later(
    loading: list[Awaitable[object]],
    level: int,
    plan: Plan,
    value: Any,
    info: GraphQLResolveInfo[Any],
    otherwise: Otherwise,
    rest: Rest | None,
) -> Any:
    """Goes on behind a level that is being read."""
    try:
        while True:
            for each in loading:
                await each
            level += 1
            if level >= len(plan.wishes):
                break
            loading = _wanted(plan, level, value, info)
    except Exception as error:
        _note(plan, error)
        made = otherwise()
    else:
        made = _run(plan, value, info, otherwise, rest)
    return await made if isawaitable(made) else made


def _wanted(plan: Plan, level: int, value: Any, info: GraphQLResolveInfo[Any]) -> list[Awaitable[object]]:
    """What is to be waited for until all of a level was read."""
    wants = [loader.want(keys) for loader, keys in plan.wishes[level](value, info)]
    return [want for want in wants if want is not None]


def _note(plan: Plan, error: Exception) -> None:
    """What a loader could not bring says nothing of the plan."""
    if not isinstance(error, KeyError):
        plan.surprised()


def _run(
    plan: Plan, value: Any, info: GraphQLResolveInfo[Any], otherwise: Otherwise, rest: Rest | None
) -> AwaitableOrValue[Any]:
    run = plan.run
    try:
        made = run(value, info)  # type: ignore[misc]
    except Exception as error:  # also where the plan was given up while it waited
        _note(plan, error)
        return otherwise()
    plan.served += 1
    return rest(made) if rest else made


def _forget_frames(error: BaseException | None) -> None:
    """Each keeps the one in which it was raised, which keeps it."""
    seen = set[int]()
    while error and id(error) not in seen:
        seen.add(id(error))
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


async def _joined(made: dict[str, Any], rest: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    made.update(await rest)
    return made
