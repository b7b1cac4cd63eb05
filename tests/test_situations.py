"""Files as programs and people hand them over end as they should: right, asked or refused.

`docs/situations.md` lists them; `python tests/test_situations.py` writes it anew.
"""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

from situations import Situation, page

PAGE = Path(__file__).parent.parent / "docs/situations.md"
FAMILIES = ("labels", "numbers", "returns", "programs", "headers", "known")
SITUATIONS: list[Situation] = [
    one for family in FAMILIES for one in import_module(f"situations.{family}").SITUATIONS
]


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.name)
def test_a_situation_ends_as_it_should(situation: Situation, tmp_path: Path) -> None:
    situation.check(tmp_path)


def test_no_two_situations_have_one_name() -> None:
    assert [name for name, times in Counter(one.name for one in SITUATIONS).items() if times > 1] == []


def test_the_page_lists_every_situation() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(SITUATIONS), (
        "write it anew: python tests/test_situations.py"
    )


if __name__ == "__main__":
    PAGE.write_text(page(SITUATIONS), encoding="utf-8")
