"""No difference between what graphql-core answers by itself and with compiled completion."""

import os

import pytest

from tests.compiled.fuzz import differences

pytestmark = pytest.mark.usefixtures("nothing_left_unawaited")

SOAK_SEED = int(os.environ.get("COMPILED_SEED", "1"))


async def test_clients_see_no_difference() -> None:
    found, done = await differences(seed=7, executions=1500)
    assert found[:1] == []
    assert done["errors"] * 2 >= done["executions"] * 0.15
    assert done["Eager"] < done["Core"] / 2, "hardly anything was compiled"
    assert done["Thrifty"] < done["Core"]
    assert done["loaded"] * 2 > done["executions"] / 4


@pytest.mark.soak
@pytest.mark.parametrize("part", range(4))
async def test_clients_see_no_difference_for_long(part: int) -> None:
    print(f"COMPILED_SEED={SOAK_SEED}")  # noqa: T201
    found, done = await differences(seed=1000 * SOAK_SEED + part, executions=6000)
    print(dict(done))  # noqa: T201
    assert found[:1] == []
    assert done["errors"] * 2 >= done["executions"] * 0.15
