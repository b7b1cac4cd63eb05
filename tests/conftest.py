"""Whole studies, each run once for all tests that look at what comes out; what runs one is marked `slow`.

A run costs 25 to 35 s of CPU, and twice that where its jobs are no forks (`runs.py`): faults on the way and other ways
of running share one (`test_killed.py`), and an edit (`test_fresh.py`) goes into one that is there.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from drawn_raw import drawn_raw
from runs import REPOSITORY, Allowed, snakemake

pytest.register_assert_rewrite("ways")

WHOLE_RUNS = {"whole_run", "finished", "copy_of"}
"""The fixtures below that run a study: a test that has one, by whatever way, is slow."""

LONGEST = (
    "test_slurm",
    "test_pin_end_to_end",
    "test_killed",
    "test_fresh",
    "test_another_study",
    "test_golden",
    "test_faults",
)
"""Files that take minutes, in the order in which workers take them: what is short fills the end."""

THOROUGH = {
    "test_attack",
    "test_bounds",
    "test_crosscheck",
    "test_disclosure",
    "test_environment",
    "test_figures",
    "test_figures_gallery",
    "test_hostile_fits",
    "test_imputation",
    "test_independent_checks",
    "test_mixed_diagnostics",
    "test_mixed_linear_robust",
    "test_mixed_linear_teams",
    "test_mixed_linear_weights",
    "test_mixed_ordinal",
    "test_mixed_ordinal_teams",
    "test_mixed_ordinal_weights",
    "test_pin",
    "test_pin_crate",
    "test_pin_verify",
    "test_publication_tables",
    "test_report",
    "test_report_browser",
    "test_report_numbers",
    "test_report_pdf",
    "test_sensitivity",
    "test_situations",
}
"""Files of minutes less dear: they simulate, draw every figure or set whole reports. Properties of Hypothesis, too."""

DEAR = {
    "test_intervals_cover_the_truth_where_few_answer_and_answers_are_near_the_top",
    "test_many_releases_of_the_same_people_are_kept_once_and_none_stands_in_the_way",
    "test_noise_and_nonsense_get_a_name",
    "test_of_many_organisations_the_report_shows_the_clearest_and_the_files_have_all",
    "test_p_values_of_equal_alphas_are_uniform",
    "test_tests_sizes_and_log_odds_match_clm_in_every_item_and_comparison",
    "test_whoever_subtracts_two_means_finds_the_change_to_a_unit_of_its_last_digit",
}
"""Tests of seconds in files that are quick but for them."""

FAST = "not slow and not thorough"
"""What `make fast` runs."""


def new_study(folder: Path) -> Path:
    """Lay the shipped study out in a folder, as a fresh clone has it."""
    folder.mkdir(parents=True)
    for part in ("config", "resources/published", "demo/raw"):
        shutil.copytree(REPOSITORY / part, folder / part)
    return folder


def everyday_life(folder: Path) -> Path:
    """Lay `tests/studies/everyday_life` out in a folder."""
    for part in ("config", "resources"):
        shutil.copytree(REPOSITORY / "tests/studies/everyday_life" / part, folder / part)
    return folder


def small_clone(folder: Path) -> Path:
    """Lay a clone of the workflow out in a folder, with the small study in it."""
    folder.mkdir()
    for part in (*import_module("surveywaves.pin.source").WORKFLOW, ".gitignore"):
        path = REPOSITORY / part
        if path.is_dir():
            shutil.copytree(path, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, folder / part)
    return Path(import_module("small_study").small_study(folder))


STUDIES: dict[str, Callable[[Path], Path]] = {
    "shipped": new_study,
    "everyday_life": everyday_life,
    "drawn": drawn_raw,
}


def run_study(name: str, folder: Path) -> Path:
    """Lay one of `STUDIES`, or `small_clone`, out in a new folder and run it to its end."""
    study = small_clone(folder) if name == "small_clone" else STUDIES[name](folder)
    run = snakemake(study, code=study if name == "small_clone" else None)
    assert run.status == 0, run.said
    return folder


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave alone the files that `make fast` takes no test of: each worker would import what they import."""
    return True if config.option.markexpr == FAST and collection_path.stem in THOROUGH else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs a study or much else, and put the longest files first: no worker is left with one at the end."""
    for item in items:
        cases = item.callspec.params.values() if hasattr(item, "callspec") else ()
        # A case may be the name of a fixture, which the test asks for by that.
        named = "shipped" in [case for case in cases if isinstance(case, str)]
        if named or WHOLE_RUNS & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
        name, _, case = item.name.partition("[")
        drawn = hasattr(getattr(item, "obj", None), "hypothesis")
        if drawn or item.path.stem in THOROUGH or name in DEAR or case == "10,000 columns]":
            item.add_marker(pytest.mark.thorough)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: (places.get(item.path.stem, len(places)), item.path not in slow))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Hold every test that runs a workflow to its mark."""
    Allowed.to_run = item.get_closest_marker("slow") is not None


@pytest.fixture(scope="session")
def pingouin() -> ModuleType:
    """pingouin, which takes a second to import."""
    return import_module("pingouin")


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Studies by name, run to their end. Tests leave them as they are; workers of pytest-xdist share them."""
    top = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        top = top.parent
    home = top / "studies"
    home.mkdir(exist_ok=True)

    def finish(name: str) -> Path:
        folder, done = home / name, home / f"{name}.done"
        with (home / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                run_study(name, folder)
                done.touch()
        return folder

    return finish


@pytest.fixture(scope="session")
def finished(whole_run: Callable[[str], Path]) -> Path:
    """The shipped study, run to its end."""
    return whole_run("shipped")


@pytest.fixture
def copy_of(finished: Path) -> Callable[[str], Path]:
    """Copy the finished study, with all that Snakemake remembers of it, for a test to change."""

    def copy(name: str) -> Path:
        # Beside the original: the paths from the study to the workflow's code stay the same.
        return shutil.copytree(finished, finished.with_name(name), symlinks=True)

    return copy
