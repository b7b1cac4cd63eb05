"""Survey programs: what each adds to its exports, how many header rows it writes, which returns it calls no returns.

A program is an entry of `PROGRAMS`, and no code. Names of columns are squeezed: case, spaces and `_` do not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from surveywaves.text import normalise


@dataclass(frozen=True, slots=True)
class Program:
    """A survey program."""

    # sure, others: columns that it adds, a blank between two: those that it fills in every return, of which
    # an export has one at least, and others
    sure: str
    others: str
    enough: int = 2  # how many added columns make an export of a file
    first: bool = False  # whether the first column must be one of `sure`
    header_rows: int | None = 1  # header rows; None where that is found out from the file
    # respondent, starts, ends: columns that identify a return, and that say when it was begun and ended
    respondent: str = ""
    starts: str = ""
    ends: str = ""
    # column -> cell -> why such a row is no return
    tests: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def added(self) -> frozenset[str]:
        """List the columns that it adds and that ask nothing."""
        return frozenset(f"{self.sure} {self.others}".split())


def squeezed(text: str) -> str:
    """Fold a name as far as the names of added columns are folded."""
    return normalise(text).replace(" ", "").replace("_", "")


# fmt: off
PROGRAMS: Final[Mapping[str, Program]] = {
    "qualtrics": Program(
        sure="responseid startdate enddate recordeddate finished progress status",
        others="ipaddress duration(inseconds) responseset recipientlastname recipientfirstname recipientemail "
        "externalreference externaldatareference locationlatitude locationlongitude distributionchannel userlanguage",
        enough=5, header_rows=None, respondent="responseid", starts="startdate", ends="enddate recordeddate",
        tests={"Status": {"Survey Preview": "a preview", "Survey Test": "a test", "Spam": "taken for spam"}},
    ),
    "surveymonkey": Program(
        sure="respondentid collectorid startdate enddate datecreated datemodified ipaddress",
        others="emailaddress firstname lastname customdata1",
        header_rows=None, respondent="respondentid", starts="startdate datecreated", ends="enddate datemodified",
    ),
    "smartsurvey": Program(
        sure="userid userno started ended",
        others="name email ipaddress uniqueid trackinglink collector collectorname completed device browser",
        enough=3, header_rows=None, respondent="userid userno", starts="started", ends="ended",
    ),
    "alchemer": Program(
        sure="timestarted datesubmitted sessionid legacycomments",
        others="responseid status contactid comments language referer useragent extendedreferer longitude latitude "
        "country city state/region postal ipaddress tags",
        enough=4, respondent="responseid", starts="timestarted", ends="datesubmitted",
        tests={"Status": {"Test Data": "test data", "Deleted": "deleted"}},
    ),
    "limesurvey": Program(
        sure="lastpage startlanguage",
        others="id responseid submitdate datesubmitted seed token accesscode startdate datestarted datestamp "
        "datelastaction ipaddr ipaddress refurl referrerurl totaltime",
        enough=3, respondent="responseid id", starts="datestarted startdate datesubmitted submitdate",
        ends="datesubmitted submitdate datelastaction datestamp",
    ),
    "microsoft_forms": Program(
        sure="starttime completiontime startzeit fertigstellungszeit heurededébut heuredefin horadeinicio "
        "horadefinalización begintijd tijdvanvoltooien",
        others="id email name e-mail lastmodifiedtime totalpoints quizfeedback gradepostedtime",
        respondent="id", starts="starttime startzeit heurededébut horadeinicio begintijd",
        ends="completiontime fertigstellungszeit heuredefin horadefinalización tijdvanvoltooien",
    ),
    "redcap": Program(
        sure="recordid redcapsurveyidentifier redcapeventname surveyidentifier",
        others="eventname redcaprepeatinstrument repeatinstrument redcaprepeatinstance repeatinstance "
        "redcapdataaccessgroup dataaccessgroup surveytimestamp surveycomplete complete?",
        respondent="recordid", starts="surveytimestamp", ends="surveytimestamp",
    ),
    "google_forms": Program(
        sure="timestamp zeitstempel horodateur marcatemporal informazionicronologiche tijdstempel",
        others="emailaddress username score",
        enough=1, first=True, starts="timestamp zeitstempel horodateur marcatemporal tijdstempel",
        ends="timestamp zeitstempel horodateur marcatemporal tijdstempel",
    ),
}
"""Format of a layout -> the program; the first that a header fits is it."""
# fmt: on

IMPORT_ID: Final = '{"ImportId"'
"""How the cells of a third header row of Qualtrics begin."""


def _all(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for some in names for name in some.split() if name != "id"))


IDENTIFIERS: Final = _all(one.respondent for one in PROGRAMS.values())
STARTS: Final = _all(one.starts for one in PROGRAMS.values())
ENDS: Final = _all(one.ends for one in PROGRAMS.values())
"""What columns are called that identify a return, or say when it was begun and ended, whoever wrote the file."""


def added(program: str) -> frozenset[str]:
    """List the columns that a program adds; for what is no program's, those of SurveyMonkey."""
    return PROGRAMS.get(program, PROGRAMS["surveymonkey"]).added


def program_of(rows: list[list[str]]) -> str | None:
    """Tell by its first rows which program wrote a file; None if nothing tells."""
    if any(cell.startswith(IMPORT_ID) for row in rows[:3] for cell in row):
        return "qualtrics"
    header = [squeezed(cell) for cell in (rows[0] if rows else [])]
    for name, program in PROGRAMS.items():
        sure = {*program.sure.split()}
        enough = len(program.added & {*header}) >= program.enough and sure & {*header}
        if enough and (not program.first or header[0] in sure):
            return name
    return None
