import threading

import pytest

from community.database import ids
from community.database.ids import new_id


def test_ids_grow_and_fit_into_63_bits() -> None:
    made = [new_id() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert made[0] > 0
    assert made[-1] < 2**63


def test_an_id_made_later_is_greater_than_one_made_earlier(monkeypatch: pytest.MonkeyPatch) -> None:
    now = ids.time.time() + 10
    monkeypatch.setattr(ids.time, "time", lambda: now)
    earlier = new_id()
    monkeypatch.setattr(ids.time, "time", lambda: now + 0.002)
    assert new_id() >> 22 == (earlier >> 22) + 2


def test_a_clock_that_steps_back_makes_no_id_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    before = new_id()
    monkeypatch.setattr(ids.time, "time", lambda: 1_704_067_200.0)
    assert new_id() == before + 1
    assert new_id() == before + 2


def test_threads_make_no_id_twice() -> None:
    made: list[int] = []

    def make() -> None:
        made.extend([new_id() for _ in range(5_000)])

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 20_000
