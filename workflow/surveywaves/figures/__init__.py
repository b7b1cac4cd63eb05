"""The figures of the report: one function per figure, from released tables and the study's words to a drawing.

Which figures there are, from what and in what order, stands in `surveywaves.catalogue`.

saving     all of them: an SVG that stands in a page, and by typst from it PDF and PNG
drawing    a page for a figure: its head and foot, legend and panels
layout     rows with their names, beside panels or a grid of tiles; ranked intervals
style      sheets, type and colours
gallery    a page of them for the documentation
change, levels, likert, heat_map, robustness, respondents, planning
           the figures
"""

import sys

# seaborn loads scipy.stats, for half a second, to estimate what no figure here asks for; it does without where there
# is none.
_unwanted = [name for name in ("scipy.stats", "scipy.cluster") if name not in sys.modules]
sys.modules.update(dict.fromkeys(_unwanted))  # type: ignore[arg-type]
import seaborn as sns  # noqa: E402, F401

for _name in _unwanted:
    del sys.modules[_name]
