"""The one step between statistics and everything that people see: what would tell of somebody is withheld.

Counts of all respondents of a wave together are exact. By organisation they are rounded at random, so that tables still
add up, or the small ones withheld, and with them as many others as it takes that nothing shown gives one back. What is
computed from counts is computed from those that are shown; other estimates leave as their uncertainty warrants.
"""

from surveywaves.disclosure.account import Publication
from surveywaves.disclosure.count_tables import ItemKey
from surveywaves.disclosure.dominance import Weighting
from surveywaves.disclosure.from_counts import Comparing
from surveywaves.disclosure.release import Released, release
from surveywaves.disclosure.rule import Rule

__all__ = ["Comparing", "ItemKey", "Publication", "Released", "Rule", "Weighting", "release"]
