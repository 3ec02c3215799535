"""美哉美城: young households from everywhere, many of them tenants; 1,670 homes, over 6,000 people."""

from community.demo.meizai import events
from community.demo.meizai.book import ACCOUNTS
from community.demo.meizai.notices import PAPERS, WATER_OFF
from community.demo.meizai.site import SITE
from community.demo.meizai.votes import AGENDA
from community.demo.neighbourhood import Neighbourhood

MEIZAI = Neighbourhood(
    SITE, AGENDA, ACCOUNTS, PAPERS, WATER_OFF, events.past, events.festivals, events.coming
)
