"""The few column shapes that every table uses."""

from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypeVar

from tortoise import fields
from tortoise.fields.data import CharEnumFieldInstance

from community.database.ids import new_id

E = TypeVar("E", bound=Enum)

_fields: Any = fields  # its overloads want literal `null`s


def Key() -> Any:  # noqa: N802 - reads as a column type
    """A primary key made by us."""
    return fields.BigIntField(primary_key=True, generated=False, default=new_id)


def To(model: str, *, null: bool = False, index: bool = True) -> Any:  # noqa: N802
    """A reference that forbids deleting its target; indexed, since foreign keys are not by themselves."""
    return _fields.ForeignKeyField(
        f"meilin.{model}", related_name=False, on_delete=fields.RESTRICT, null=null, db_index=index
    )


def OnlyOne(model: str, *, null: bool = False) -> Any:  # noqa: N802
    """A reference that at most one row holds."""
    return _fields.OneToOneField(f"meilin.{model}", related_name=False, on_delete=fields.RESTRICT, null=null)


class _CodeField(CharEnumFieldInstance):
    """Migrations see a plain column of 32 characters, so that a new word needs none."""

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        null = {"null": True} if self.null else {}
        return "tortoise.fields.CharField", [], {"max_length": self.max_length} | null


def Code(enum: type[E], *, null: bool = False) -> Any:  # noqa: N802
    """A word from an enum, stored as itself."""
    return _CodeField(enum, max_length=32, null=null)


def Words(length: int, *, null: bool = False) -> Any:  # noqa: N802
    return _fields.CharField(max_length=length, null=null)


class _InstantField(fields.DatetimeField[datetime]):
    """SQLite keeps and compares instants as text: only in one time zone is the later one the greater."""

    def to_db_value(self, value: Any, instance: Any) -> Any:
        at = value.astimezone(UTC) if isinstance(value, datetime) else value
        return super().to_db_value(at, instance)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        _, args, kwargs = super().deconstruct()
        return "tortoise.fields.DatetimeField", args, kwargs


def Instant(*, null: bool = False) -> Any:  # noqa: N802
    """An instant, stored in UTC."""
    return _InstantField(null=null)  # type: ignore[call-overload]
