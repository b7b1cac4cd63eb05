"""Names that a package takes for a variable."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from surveywaves.study.checks import RESCALED_SUFFIX

SPSS_RESERVED: Final = re.compile(r"all|and|by|eq|ge|gt|le|lt|ne|not|or|to|with")
STATA_RESERVED: Final = re.compile(r"byte|double|float|if|in|int|long|str\d+|using|with")


def names_for(names: Iterable[str], *, limit: int, reserved: re.Pattern[str]) -> dict[str, str]:
    """Give each variable a name that a package takes; most keep their own.

    Parameters
    ----------
    names
        Names of the study: lower case, digits and ``_``.
    limit
        Most characters a name may have.
    reserved
        Words of the package's own language.

    Returns
    -------
    dict
        Own name -> name in the file, in the same order and no name twice. A reserved word gets ``_`` after it; a long
        name is cut (before ``_rescaled``, if it ends so) and numbered where that makes two alike.
    """
    names = list(names)
    taken = {name for name in names if len(name) <= limit and not reserved.fullmatch(name)}
    found = {}
    for name in names:
        if name in taken:
            found[name] = name
            continue
        suffix = RESCALED_SUFFIX if name.endswith(RESCALED_SUFFIX) else ""
        stem = name.removesuffix(suffix)
        if reserved.fullmatch(name):
            suffix = "_"
        number = ""
        while (new := stem[: limit - len(suffix) - len(number)] + number + suffix) in taken:
            number = str(int(number or "1") + 1)
        taken.add(new)
        found[name] = new
    return found
