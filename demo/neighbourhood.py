"""What makes an estate a neighbourhood: its site, votes, book, board and gatherings."""

from collections.abc import Callable, Collection, Iterator
from datetime import date
from typing import NamedTuple

from demo.agendas import Agenda
from demo.books import Accounts
from demo.estates import Site
from demo.gatherings import Gathering
from demo.notices import Paper


class Neighbourhood(NamedTuple):
    """`coming` is given the titles of the events of the last ten months, so as not to repeat them."""

    site: Site
    agenda: Agenda
    accounts: Accounts
    papers: tuple[Paper, ...]
    water_off: str
    past: Callable[[date], Iterator[Gathering]]
    festivals: Callable[[date], Iterator[Gathering]]
    coming: Callable[[date, Collection[str]], Iterator[Gathering]]

    def __repr__(self) -> str:
        return self.site.slug
