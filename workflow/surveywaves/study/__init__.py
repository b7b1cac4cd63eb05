"""The study as its configuration describes it: models, how they are read, and what they document.

Nothing here imports pandas: the Snakefile reads the study at every start, and a start should cost little.
"""

from surveywaves.study.load import load_study
from surveywaves.study.models import Coding, CrosswalkRow, Item, Layout, ResponseScale, Scale, Study, Wave

__all__ = [
    "Coding",
    "CrosswalkRow",
    "Item",
    "Layout",
    "ResponseScale",
    "Scale",
    "Study",
    "Wave",
    "load_study",
]
