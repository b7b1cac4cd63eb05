"""How good the delta method's standard errors of percentages are: against draws from the estimates' distribution.

Run: `.venv/bin/python benchmarks/delta_method.py [draws]`. Fits of a study's size, of a small one and in teams;
parameters are drawn from the normal distribution that the fit states, with its covariance; for each draw the
percentages and their contrasts are worked out anew. Given are the smallest and largest ratio of the stated standard
error to the spread of the draws, for means and for contrasts, and how well so many draws know a spread.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
from linear_scaling import simulate
from ordinal_scaling import Case, given, in_teams

from surveywaves.mixed.clmm import fit_ordinal
from surveywaves.mixed.design import make_design
from surveywaves.mixed.favourable import percent_favourable

CASES = {
    "1,700 respondents": (1_700, Case(6)),
    "1,700, probit, covariate": (1_700, Case(6, ("role",), link="probit")),
    "100 respondents": (100, Case(4)),
    "1,700 in teams of 20": (1_700, Case(6, teams=True)),
}

if __name__ == "__main__":
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print(f"stated / spread of {draws:,} draws, which know it to {1 / np.sqrt(2 * draws):.1%}")
    for name, (respondents, case) in CASES.items():
        frame = simulate(respondents, case.items)
        design = make_design(*given(in_teams(frame) if case.teams else frame, case))
        fit = fit_ordinal(design, link=case.link)
        stated = percent_favourable(design, fit, scale="s", favourable=(4, 5))
        rng = np.random.default_rng(1)
        found = [
            percent_favourable(design, replace(fit, theta=theta), scale="s", favourable=(4, 5))
            for theta in rng.multivariate_normal(fit.theta, fit.theta_cov, draws, method="eigh")
        ]
        ratios = [
            table["std_error"].to_numpy() / np.std([one[place]["estimate"] for one in found], axis=0)
            for place, table in enumerate(stated)
        ]
        words = (f"{ratio.min():.3f} to {ratio.max():.3f}" for ratio in ratios)
        print(f"{name:<26} means {next(words)}, contrasts {next(words)}", flush=True)
