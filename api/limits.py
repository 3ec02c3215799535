"""How often one address may do something."""

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address
from time import monotonic

MOST_ADDRESSES = 10_000
"""Remembered at once; the one that was quiet for longest is forgotten first."""

MINUTE = 60.0


def network_of(address: str) -> str:
    """The network of an address: of IPv6 the first 64 bits, since each customer has so many addresses."""
    if ":" not in address:
        return address
    try:
        parsed = IPv6Address(address)
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return parsed.packed[:8].hex()


class RateLimit:
    """So many a minute for each network, all of them at once or one by one."""

    def __init__(self, most: int, clock: Callable[[], float] = monotonic) -> None:
        self._most, self._clock = most, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._left)

    def take(self, address: str) -> float:
        """Returns 0 if it is allowed now, else the seconds until it is."""
        network, now, each = network_of(address), self._clock(), MINUTE / self._most
        left, at = self._left.pop(network, (float(self._most), now))
        left = min(self._most, left + (now - at) / each)
        wait = 0.0 if left >= 1 else (1 - left) * each
        self._left[network] = (left if wait else left - 1), now
        if len(self._left) > MOST_ADDRESSES:
            self._left.popitem(last=False)
        return wait
