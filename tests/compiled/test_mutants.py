"""The tests of compiled completion see each fault that is planted in it."""

import pytest

from tests.compiled.mutants import MUTANTS, Mutant, planted, seen_by


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_fault_has_its_line(mutant: Mutant, tmp_path: object) -> None:
    planted(mutant, tmp_path)  # type: ignore[arg-type]


@pytest.mark.soak
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_fault_is_seen(mutant: Mutant) -> None:
    assert seen_by(mutant)
