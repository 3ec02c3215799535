"""钱塘山水湾: larger homes on the river, well kept, and a neighbourhood that likes to celebrate."""

from demo.neighbourhood import Neighbourhood
from demo.qiantang import events
from demo.qiantang.book import ACCOUNTS
from demo.qiantang.notices import PAPERS, WATER_OFF
from demo.qiantang.site import SITE
from demo.qiantang.votes import AGENDA

QIANTANG = Neighbourhood(
    SITE, AGENDA, ACCOUNTS, PAPERS, WATER_OFF, events.past, events.festivals, events.coming
)
