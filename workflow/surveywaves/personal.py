"""What speaks of a person: columns of names and addresses in raw files, and texts that are one.

Columns are known by what survey programs call them (SurveyMonkey, Qualtrics, Microsoft and Google Forms, LimeSurvey,
Alchemer, KoboToolbox, REDCap, SoSci, Jotform, in the languages of Western Europe) and by what stands in them. Nothing
here can know every name of a person; it keeps what is plainly one out of files that others read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final

from surveywaves.terms import ROW_SEPARATOR
from surveywaves.text import normalise

LONGEST: Final = 120
"""Characters from which a label is taken for somebody's own words."""

_BEFORE: Final = (
    r"what|is|was|wie|lautet|please|bitte|enter|give|provide|state|type|your|you|are|the|ihre?n?|ihr|votre|tu|su|uw|own|full|"
    r"contact|recipient|respondents?|participants?|invitees?|panelist|panelmember|employees?|staff|members?|customers?|"
    r"users?|survey|submission|submitter|sender|remote|client|login|location|geo|gps|start|primary|work|home|daytime|mobile|u"
)
_NAMES: Final = (
    r"(first|fore|given|christian|middle|last|family|sur|full|nick|maiden|user|person|display|contact)?names?|initials|signature|"
    r"(vor|nach|zu|familien|benutzer|nutzer)namen?|prenom|nom(defamille|complet|dutilisateur)?|nombres?(completo|deusuario)?|"
    r"apellidos?|nome(completo|utente|cognome)?|cognome|sobrenome|(voor|achter|gebruikers)?naam|(for|etter|efter)(navn|namn)|"
    r"imie(inazwisko)?|nazwisko"
)
_ADDRESSES: Final = (
    r"e?mails?|e?mail(address|adresse?n?|adres)(es)?|(adresse|adres)e?mail|adresse(electronique|demessagerie|decourriel)|courriel|"
    r"correos?(electronico)?|(direccion|indirizzo|endereco)de?(correo(electronico)?|e?mail|posta(elettronica)?)|epost(adress[e]?)?|"
    r"(street|postal|mailing|home)?address(line)?|anschrift|adresse(postale)?|indirizzo|direccion|endereco|strasse|"
    r"zippostalcode|zip(code)?|postcode|post(al)?code|postleitzahl|plz|codepostal|codigopostal"
)
_NUMBERS: Final = (
    r"((tele)?phone|tel|mobile|cell|cellphone|handy|telefon|telefoon|telefono|telefone|gsm|fax)(n(umber|ummer|umero|o|r)?)?|"
    r"(numerode)?(telephone|telefono|telefone|movil|celular|portable)|natel|whatsapp|simserial|simid|subscriberid|imei|deviceid|"
    r"(national|social|staff|employee|payroll|personal)?(insurance|security|payroll|identity|personnel)(number|no)|ssn|nino|chi(number|no)|"
    r"(dateof|birth|geburts)(birth|date|day|datum|tag)|dob|datedenaissance|fechadenacimiento|datadinascita"
)
_MACHINE: Final = (
    r"ip(addr|address|addresses|adresse|adres|v4|v6)?|(adresse|direccion|indirizzo|endereco)(de)?ip|ip(de)?(adresse|address)|"
    r"latitude|longitude|lat|lon|lng|(geographische)?(breiten|langen)grad|(latitud|longitud|latitudine|longitudine)|"
    r"(geo)?(location|coordinates?|koordinaten)|geopoint|(latitude|longitude|altitude|precision|accuracy)(m)?|"
    r"(user)?agent(string)?|browser|refer+er|referr?er(url)?|refurl|fingerprint|session(id)?|networkid"
)
_PROGRAMS: Final = (
    r"custom(data|value)|external(data)?ref(erence)?|surveyidentifier|redcapsurveyidentifier|"
    r"(submitted|created|modified|keyed)by(email|name)?|panelid|token"
)
# `u` and `tu` before `name` are those of exports such as `u_name`; `location` alone is often where somebody works.
_COLUMN: Final = re.compile(rf"(?:{_BEFORE})*(?:{_NAMES}|{_ADDRESSES}|{_NUMBERS}|{_MACHINE}|{_PROGRAMS})\d*")
_KEPT: Final = frozenset({"location", "keyedby", "startlocation", "browser", "token"})
"""Names that as often are of what is analysed: a place of work, who keyed a form."""

_ACCENTS: Final = str.maketrans("áàâäãåéèêëíìîïóòôöõøúùûüçñęł", "aaaaaaeeeeiiiioooooouuuucnel")
_NUMBERED: Final = re.compile(r" \(\d+\)$")
_OPTIONAL: Final = re.compile(r"\((optional|required|if any|freiwillig|facultatif|opcional)\)|[*?:]")


def personal_column(name: str) -> bool:
    """Check whether a column is called what survey programs, or people, call one that identifies somebody."""
    told = _OPTIONAL.sub("", _NUMBERED.sub("", normalise(name).replace("ß", "ss"))).translate(_ACCENTS)
    squeezed = re.sub(r"[\W_]+", "", told)
    return squeezed not in _KEPT and _COLUMN.fullmatch(squeezed) is not None


_MAIL: Final = re.compile(r"[^\s@]+@[^\s@]+\.\w{2,}")
_IP: Final = re.compile(
    r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])|(?<![\w:])(?:[0-9a-fA-F]{1,4}:){4,7}[0-9a-fA-F]{1,4}"
)
_DATE: Final = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ][\d:.]+Z?)?")
_DIGITS: Final = re.compile(r"\+?\(?\d[\d ()./\-]{4,}\d")
_FEWEST: Final = 7
"""Digits of a telephone number, at least."""
_LONG_NUMBER: Final = 9
"""Digits from which a number without blanks or a zero before it may be one."""
_PLACE: Final = re.compile(r"-?\d{1,3}\.\d{3,}\s*[,; ]\s*-?\d{1,3}\.\d{3,}")
_INSURED: Final = re.compile(r"\b[A-Za-z]{2}\s?(?:\d{2}\s?){3}[A-Da-d]\b")
_POSTCODE: Final = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s+\d[A-Z]{2}\b")
_TITLED: Final = re.compile(
    r"\b(?:M(?:r|rs|s|iss|x|me|lle)|Dr|Prof(?:essor)?|Sister|Nurse|Herr|Frau|Monsieur|Madame|Se(?:ñ|n)or(?:a)?|Sra?)\.?"
    r"\s+(?:[A-Z]\.?\s+)?[A-Z][a-z'’-]+"
)
_JOBS: Final = re.compile(r"^(?:Nurse|Sister|Professor|Prof|Dr)\b", re.IGNORECASE)


def personal_text(text: str) -> str:
    """Name what of a person a text is, such as `an e-mail address`; empty where it is plainly nothing of the kind.

    A name without a title is known only where it begins with a given name that is often met (`Moira Kelly`).
    """
    line = " ".join(text.split())
    for pattern, what in (
        (_MAIL, "an e-mail address"),
        (_PLACE, "coordinates"),
        (_IP, "an IP address"),
        (_INSURED, "a national insurance number"),
        (_POSTCODE, "a postcode"),
    ):
        if pattern.search(line):
            return what
    if any(map(_is_telephone, _DIGITS.findall(_DATE.sub("", line)))):
        return "a telephone number"
    if (titled := _TITLED.search(line)) and not _JOBS.search(titled.group()):
        return "a name"
    if any(
        _is_name(*pair) for pair in re.findall(r"\b([A-Z][a-z]+)\s+(?:[A-Z]\.?\s+)?([A-Z][\w'’-]+)", line)
    ):
        return "a name"
    return "somebody's own words" if len(line) > LONGEST else ""


def _is_telephone(run: str) -> bool:
    digits = sum(map(str.isdigit, run))
    return digits >= (_LONG_NUMBER if run.isdigit() and run[0] != "0" else _FEWEST)


def _is_name(first: str, last: str) -> bool:
    return first.casefold() in _GIVEN and last.casefold() not in ORDINARY


MOST: Final = 0.5
"""Share of a column's texts that are of one person each, from which it is a column of these."""

_ADDRESS_LIKE: Final = frozenset(
    {"an e-mail address", "coordinates", "an IP address", "a national insurance number"}
)


def personal_cells(texts: Collection[str]) -> bool:
    """Check if most of a column's distinct texts are addresses of people: of mail, machine or place; or telephones.

    An identifier of a return is a number like a telephone's, so only one that is written as a telephone number counts.
    """
    found = sum(
        personal_text(text) in _ADDRESS_LIKE or re.fullmatch(r"(?:\+|0)[\d ()\-]{8,}", text) is not None
        for text in texts
    )
    return found > MOST * len(texts)


def rated(texts: Iterable[str], name: str) -> bool:
    """Check if all texts are numbers of one or two digits, or the name of the column itself, as of a box to tick."""
    label = normalise(name.rpartition(ROW_SEPARATOR)[2])
    return all((text.isdecimal() and len(text) <= 2) or normalise(text) == label for text in texts)


_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_MANY_DIGITS: Final = 4


def ordinary(label: str, words: Collection[str]) -> bool:
    """Check whether a label is made of ordinary words alone, and so can be shown whoever wrote it.

    Parameters
    ----------
    words
        Words that the study itself uses for its response options and levels, folded; those of any questionnaire
        (`ORDINARY`), single letters and numbers of up to four digits in all are known besides.
    """
    folded = normalise(label)
    if sum(map(str.isdigit, folded)) > _MANY_DIGITS:
        return False
    return all(len(word) == 1 or word in words or word in ORDINARY for word in _WORD.findall(folded))


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """List the words of some texts, folded."""
    return frozenset(word for text in texts for word in _WORD.findall(normalise(text)))


ORDINARY: Final = frozenset(
    """
    a about above after agree agreed agreement all almost always am an and answer answered any applicable apply as
    at available average bad base be before below best better between bit blank both but by can cannot certain
    certainly check checked clear code comment completely condensed consider could day days decline declined
    definitely degree deselected didn dimension disagree disagreed dissatisfied do does doesn don don't dont each
    either else empty end entirely equal equally even ever every everybody excellent extent extremely fair fairly
    false far female few five for four frequently full fully generally good great greatly had hardly has have high
    higher highest hour hours how i important in inapplicable indifferent invalid is it just know known large last
    least less like likely little long low lower lowest male man many maybe me mean men mentioned mid middle missing
    mixed moderate moderately month months more most mostly much na nearly neither neutral never new no nobody none
    nor not nothing now number occasionally of off often ok older on once one only opinion option or other others
    over part partly per perhaps person plus point points poor prefer preferred present probably quite rare rarely
    rather refuse refused regularly response same satisfied say score seldom select selected several six skip
    skipped slightly small some somebody something sometimes somewhat specified specify staff stated strong stronger
    strongly sure ten than that the then there they this three tick ticked to too totally true two uncertain
    undecided under unimportant unknown unlikely unmarked unsure unticked up upper usually vague very want was week
    weekly weeks well what when which while who why with within without woman women work working worst would wrong
    year years yes you younger your zero
    """.split()  # noqa: SIM905
)
"""Words of response options and groups in any questionnaire."""

_GIVEN: Final = frozenset(
    """
    aaron abdul abigail adam adele adrian agnes ahmed aidan aileen ailsa aisha alan alasdair alastair albert
    alessandro alex alexander alexandra alfred alice alison alistair amanda amelia amy ana andrea andreas andrew
    angela angus anita ann anna anne annette annie anthony antonio archie arthur audrey barbara barry beatrice ben
    benjamin bernadette bernard beth betty bill billy bob brenda brian bridget bruce callum calum cameron carl
    carlos carol caroline catherine cathy cecilia charles charlie charlotte chris christina christine christopher
    claire clare colin connor craig daniel daniela darren dave david dawn debbie deborah denise derek diana diane
    dominic donald donna doreen dorothy dougal douglas duncan eamon eddie edith edward eileen elaine eleanor elena
    elizabeth ella ellen emily emma eric erin euan eva evelyn ewan fatima finlay fiona frances francesca francis
    frank fraser fred freda gareth garry gary gavin geoffrey george georgina gerald gerard gillian giovanni giuseppe
    gordon graeme graham grant greg hamish hannah hans harriet harry hassan hazel heather heidi helen henry hugh
    iain ian imran ines irene isabel isabella isla isobel jack jackie jacob jacqueline jakub james jamie jan jane
    janet janice jason jean jeff jennifer jenny jessica jill jim joan joanna joanne joe johann john jonathan jordan
    jose joseph josephine joyce juan judith julia julie june karen kate katherine kathleen kathryn katie keith kelly
    kenneth kenny kerry kevin kirsten kirsty klaus kyle lara laura lauren lee leo lesley leslie lewis liam linda
    lindsay lisa liz lorna lorraine louis louise lucy luis luke lynn lynne maggie mairi malcolm marc marcus margaret
    maria marie marion marjorie mark marta martha martin mary matthew maureen max megan melanie melissa michael
    michelle mike miriam mohammad mohammed moira monica morag muhammad muriel myra nadia nancy naomi natalie neil
    niamh nicholas nick nicola nicole nigel nora norma norman olga oliver olivia omar oscar pamela patricia patrick
    paul paula pauline pedro peggy penelope peter petra philip phyllis pierre priya rachel ralph raymond rebecca
    richard rita robert roberta robin roderick roger ronald rory rosemary ross roy russell ruth ryan sally sam
    samantha samuel sandra sara sarah scott sean shannon sharon sheena sheila shirley shona simon siobhan sofia
    sonia sophie stacey stefan stella stephanie stephen steven stewart stuart susan suzanne sylvia tariq terence
    teresa theresa thomas tim timothy tina toby tom tommy tony tracey tracy trevor ursula valerie vanessa vera
    veronica vincent violet vivien walter wanda wendy wilfred william yasmin yvonne zoe
    """.split()  # noqa: SIM905
)
"""Given names that are often met."""
