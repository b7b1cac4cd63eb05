"""Demonstration raw files: respondents invented from published counts or stated parameters, written as real files come.

`reconstruct` and `simulate` make respondents in the terms of the instrument; `write_files` turns them, by the wave's
own crosswalk read backwards, into the bytes of its raw files. `make_demo` does both. Everything is drawn from
generators seeded by the demonstration's seed and the wave's name: the same description gives the same bytes.
"""

from simulate.files import make_demo, write_files
from simulate.models import DemoPart
from simulate.respondents import Respondents, reconstruct, simulate

__all__ = ["DemoPart", "Respondents", "make_demo", "reconstruct", "simulate", "write_files"]
