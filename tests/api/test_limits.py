import pytest

from api import limits
from api.limits import RateLimit, network_of


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2::1", "20010db800010002"),
        ("2001:db8:1:2:ffff::9", "20010db800010002"),
        ("2001:db8:1:3::1", "20010db800010003"),
        ("fe80::1%eth0", "fe80000000000000"),
        ("", ""),
        ("a:b", "a:b"),
    ],
)
def test_an_address_belongs_to_a_network(address: str, network: str) -> None:
    assert network_of(address) == network


def test_so_many_at_once_and_then_one_by_one() -> None:
    clock = Clock()
    limit = RateLimit(3, clock)
    assert [limit.take("a") for _ in range(5)] == [0, 0, 0, 20, 20]
    assert limit.take("b") == 0
    clock.now += 19
    assert limit.take("a") == pytest.approx(1)
    clock.now += 1
    assert [limit.take("a") for _ in range(2)] == [0, pytest.approx(20)]
    clock.now += 3600
    assert [limit.take("a") for _ in range(4)] == [0, 0, 0, 20]  # never more than so many


def test_who_goes_round_in_a_network_is_one() -> None:
    limit = RateLimit(1, Clock())
    assert limit.take("2001:db8::1") == 0
    assert limit.take("2001:db8::2") == 60


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_ADDRESSES", 10)
    limit = RateLimit(1, Clock())
    for number in range(1000):
        assert limit.take(str(number)) == 0
    assert len(limit) == 10
    assert limit.take("999") > 0
