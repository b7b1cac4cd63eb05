"""The one step between statistics and everything that people see: what would tell of somebody is withheld.

The numbers of a wave are linked: organisations add up to all, responses to a base, a percentage says the same as its
count. `release` takes the tables as one, withholds small counts, and then as many others as it takes that nothing shown
gives a withheld count back, at the least loss.
"""

from surveywaves.disclosure.account import Publication
from surveywaves.disclosure.count_tables import ItemKey
from surveywaves.disclosure.dominance import Weighting
from surveywaves.disclosure.release import Released, release
from surveywaves.disclosure.system import Rule

__all__ = ["ItemKey", "Publication", "Released", "Rule", "Weighting", "release"]
