"""Survey programs: the columns that each adds to its exports, its header rows, and its marks of test returns.

A program is an entry of `PROGRAMS`, without code. Names of columns are squeezed: case, spaces and `_` do not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from surveywaves.text import normalise


@dataclass(frozen=True, slots=True)
class Program:
    """A survey program."""

    # sure, others: columns that it adds, separated by blanks: those that it fills in every return, of which
    # an export has at least one, and others
    sure: str
    others: str
    enough: int = 2  # added columns by which a file is recognised as an export
    first: bool = False  # whether the first column must be one of `sure`
    header_rows: int | None = 1  # None if the number is found from the file
    # respondent, starts, ends: columns with the identifier of a return, and with its start and end
    respondent: str = ""
    starts: str = ""
    ends: str = ""
    # column -> cell -> why such a row is no return
    tests: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def added(self) -> frozenset[str]:
        """Return the columns that it adds, which are no questions."""
        return frozenset(f"{self.sure} {self.others}".split())


def squeezed(text: str) -> str:
    """Fold a name like the names of added columns: without case, spaces and `_`."""
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
"""Format of a layout -> the program; a header belongs to the first that fits."""
# fmt: on

IMPORT_ID: Final = '{"ImportId"'
"""The beginning of cells in the third header row of Qualtrics."""


def _all(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for some in names for name in some.split() if name != "id"))


IDENTIFIERS: Final = _all(one.respondent for one in PROGRAMS.values())
STARTS: Final = _all(one.starts for one in PROGRAMS.values())
ENDS: Final = _all(one.ends for one in PROGRAMS.values())
"""Names, in any program, of columns with the identifier of a return, its start and its end."""


def program_of(rows: list[list[str]]) -> str | None:
    """Recognise by its first rows the program that wrote a file; None if there is none."""
    if any(cell.startswith(IMPORT_ID) for row in rows[:3] for cell in row):
        return "qualtrics"
    header = [squeezed(cell) for cell in (rows[0] if rows else [])]
    for name, program in PROGRAMS.items():
        sure = {*program.sure.split()}
        enough = len(program.added & {*header}) >= program.enough and sure & {*header}
        if enough and (not program.first or header[0] in sure):
            return name
    return None
