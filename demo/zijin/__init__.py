"""紫金西苑: homes for the teachers of a university, handed over in 2018; no 业委会, a 物管委 in its place."""

from demo.neighbourhood import Neighbourhood
from demo.zijin import events
from demo.zijin.book import ACCOUNTS
from demo.zijin.notices import PAPERS, WATER_OFF
from demo.zijin.site import SITE
from demo.zijin.votes import AGENDA

ZIJIN = Neighbourhood(SITE, AGENDA, ACCOUNTS, PAPERS, WATER_OFF, events.past, events.festivals, events.coming)
