"""Write the data sets that we impute, for R to analyse: five of `incomplete.csv`, later items and organisation only."""

import pandas as pd

from surveywaves.sample import Sample, Scale
from surveywaves.sensitivity.imputation import impute

NUMBER = 5

if __name__ == "__main__":
    frame = pd.read_csv("incomplete.csv", dtype={"wave": "str", "organisation": "str"})
    scales = []
    for name in "AN":
        items = tuple(f"{name}{number}" for number in range(1, 6))
        keys = {item: -1 if item == "A1" else 1 for item in items}
        scales.append(Scale(name, items, keys, (1, 6)))
    sample = Sample(frame, ("first", "second"), ("men", "women"))
    found = impute(sample, scales, number=NUMBER, seed=1)
    made = [found.completed(which, scales[1]).frame.assign(imputation=which) for which in range(NUMBER)]
    table = pd.concat(made).astype(dict.fromkeys(scales[1].items, "int64"))
    table.to_csv("imputed.csv", index=False, lineterminator="\n")
