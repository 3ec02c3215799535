"""The tests of compiled completion see each fault that is planted in it."""

import pytest

from tests.compiled.mutants import MUTANTS, SEEN_BY_CHANCE, Mutant, planted, seen_by


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_fault_has_its_line(mutant: Mutant, tmp_path: object) -> None:
    planted(mutant, tmp_path)  # type: ignore[arg-type]


def test_a_copy_with_a_fault_is_what_is_tried() -> None:
    """And not the package itself, which has none to be seen."""
    (fault,) = (each for each in MUTANTS if each.name == "methods-of-values-not-called")
    assert seen_by(fault, ["tests/compiled/test_reading.py"])


@pytest.mark.soak
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_fault_is_seen(mutant: Mutant) -> None:
    assert seen_by(mutant)


@pytest.mark.soak
@pytest.mark.parametrize("name", sorted(SEEN_BY_CHANCE))
def test_random_documents_see_faults_by_themselves(name: str) -> None:
    """Else it would say little that they see no difference."""
    (mutant,) = (each for each in MUTANTS if each.name == name)
    assert seen_by(mutant, ["tests/compiled/test_fuzz.py"])
