"""钱塘山水湾: larger homes on the river, well kept, and a neighbourhood that likes to celebrate."""

from community.demo.neighbourhood import Neighbourhood
from community.demo.qiantang import events
from community.demo.qiantang.book import ACCOUNTS
from community.demo.qiantang.notices import PAPERS, WATER_OFF
from community.demo.qiantang.site import SITE
from community.demo.qiantang.votes import AGENDA

QIANTANG = Neighbourhood(
    SITE, AGENDA, ACCOUNTS, PAPERS, WATER_OFF, events.past, events.festivals, events.coming
)
