"""美哉美城: young households from everywhere, many of them tenants; 1,670 homes, over 6,000 people."""

from demo.meizai import events
from demo.meizai.book import ACCOUNTS
from demo.meizai.notices import PAPERS, WATER_OFF
from demo.meizai.site import SITE
from demo.meizai.votes import AGENDA
from demo.neighbourhood import Neighbourhood

MEIZAI = Neighbourhood(
    SITE, AGENDA, ACCOUNTS, PAPERS, WATER_OFF, events.past, events.festivals, events.coming
)
