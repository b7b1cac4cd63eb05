"""Make the demonstration's raw files anew: `python demo/make.py`, from the top of the repository.

They are committed under `demo/raw/`, and a test holds them against what this writes, byte for byte.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from simulate import DemoPart, make_demo
from simulate.interviews import interviews
from surveywaves.files import read, write_bytes
from surveywaves.published.settling import apply_decisions, settle
from surveywaves.study import Study, load_study

HERE = Path(__file__).parent
REPOSITORY = HERE.parent


def settled_counts(study: Study) -> pd.DataFrame:
    """Count who gave each response to each printed item, as the publication must have meant it.

    Returns
    -------
    DataFrame
        `item, response` (1..K), `count`.
    """
    published = study.config.published
    assert published is not None
    assert published.decisions is not None
    categories = list(published.categories)
    printed = read(str(REPOSITORY / published.tables))
    decisions = read(str(REPOSITORY / published.decisions))
    settlement = apply_decisions(
        settle(printed, categories=categories, max_base=published.returns),
        decisions[decisions["table"].isin(printed["table"])],
        where=published.decisions,
    )
    settled = settlement.settled
    items = {(str(item.published_table), str(item.published_row)): item.item for item in study.items}
    return pd.DataFrame(
        {
            "item": [items[cell] for cell in zip(settled["table"], settled["row"], strict=True)],
            "response": [categories.index(category) + 1 for category in settled["category"]],
            "count": settled["count"].astype("int64"),
        }
    )


def raw_files() -> dict[str, bytes]:
    """Make the files of every wave: path from the top of the repository -> content."""
    study = load_study(REPOSITORY / "config")
    counts = settled_counts(study)
    made: dict[str, bytes] = {}
    for home in sorted((HERE / "waves").iterdir()):
        made |= make_demo(DemoPart.read(study, home), counts)
    return made | interviews(study, HERE / "interviews")


if __name__ == "__main__":
    for path, content in raw_files().items():
        write_bytes(content, str(REPOSITORY / path))
