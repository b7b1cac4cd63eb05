# in:  every rule, and the records that jobs left in results/logs
# out: nothing of its own. The jobs whose results are not made of what lies there now run again, by content alone: no
#      time stamp and nothing that Snakemake remembers makes a job run, or keeps it from running.
import re
import shutil
import threading
from itertools import product

from snakemake.io import is_callable
from snakemake.settings.enums import RerunTrigger

from surveywaves.freshness import CACHE, Planned, Programs, left_over, run_again

SCRIPTED = [rule_ for rule_ in workflow.rules if rule_.script]
PROGRAMS = Programs(HOME, Path(CACHE))

for rule_ in SCRIPTED:
    # Without conda, `--archive` would end in its absence; `--lint` asks that there be one.
    if "--lint" in sys.argv or shutil.which("conda"):
        rule_.conda_env = "../../environment.yml"
    program = PROGRAMS.of(rule_.name)
    rule_.set_params(
        program={
            "fingerprint": program.fingerprint,
            "packages": PROGRAMS.packages(program),
        }
    )


VALUES = {"wave": WAVES, "scatteritem": SHARDS}


def jobs_of(rule_):
    """List a rule's jobs, one for each combination of its wildcards."""
    return [
        dict(zip(rule_.wildcard_names, values))
        for values in product(*map(VALUES.get, rule_.wildcard_names))
    ]


def planned(rule_, wildcards):
    """Describe a job as Snakemake is going to."""
    given, made = rule_.expand_input(wildcards)[0], rule_.expand_output(wildcards)[0]
    return Planned(
        rule_.name,
        wildcards,
        given,
        made,
        rule_.expand_params(wildcards, given, made, None)[0],
        rule_.expand_log(wildcards),
    )


def wanted(targets):
    """List the files that targets stand for: rules and files."""
    rules_ = {rule_.name: rule_ for rule_ in workflow.rules}
    for target in targets:
        if target not in rules_:
            yield target
            continue
        for wildcards in jobs_of(rules_[target]):
            yield from rules_[target].expand_output(wildcards)[0]
            yield from rules_[target].expand_input(wildcards)[0]


class Settled:
    """Whether files are what they should be: true unless a job that makes one of them runs again."""

    def __init__(self, paths):
        self.paths = frozenset(paths)

    def __bool__(self):
        return AGAIN[0].made.isdisjoint(self.paths)


JOBS = []
AGAIN = []


def decide(wildcards):
    """Force the jobs that must run again: an input function without files, since settings and DAG are known only then."""
    if AGAIN:
        return []
    AGAIN.append(None)  # while jobs are planned, they come here, too
    settings = workflow.dag_settings
    JOBS.extend(
        planned(rule_, wildcards)
        for rule_ in SCRIPTED
        if rule_.output
        for wildcards in jobs_of(rule_)
    )
    AGAIN[0] = run_again(
        JOBS,
        wanted(map(os.path.normpath, settings.until or settings.targets or ["all"])),
        forced=set(map(os.path.normpath, settings.forcerun)),
    )
    settings.rerun_triggers = {RerunTrigger.MTIME}
    # A job that was killed once its record was whole is done, whatever Snakemake noted of it before; were it forced now,
    # what follows it would be left out.
    workflow.dag.ignore_incomplete = True
    for job in AGAIN[0].because:
        workflow.dag.forcefiles.update(job.output)
    for name, why in AGAIN[0].first.items():
        logger.info(f"{name} runs again: {why}")
    return []


if workflow.is_main_process:
    PROGRAMS.keep()
    for rule_ in workflow.rules:
        for given in rule_.input:
            if not is_callable(given):
                settled = Settled(expand(str(given), **VALUES))
                given.set_flags({**given.flags, "ancient": settled})
        rule_.set_input(decide)


onstart:
    # At SIGTERM, Snakemake's handler waits for a lock that the thread which it interrupts may hold, while it chooses jobs.
    workflow.scheduler._lock = threading.RLock()
    require_open(
        *sorted(
            {
                Path(path).parent
                for job in workflow.dag.needrun_jobs()
                for path in (*job.output, *job.log)
            }
        )
    )
    for path in left_over(JOBS):
        path.unlink()
        logger.info(f"{path} removed: the study as it is now has no such result")


onerror:
    said = "".join(
        Path(file).read_text(encoding="utf-8", errors="replace") for file in log
    )
    if re.search("SIGKILL|exit status 137", said):
        logger.error(
            "A job was killed from outside, most often for lack of memory (hint: run with --cores 1, or take a machine "
            "with more memory; what is finished is kept)"
        )
