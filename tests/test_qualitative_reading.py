"""Coded material of any program is read, its text never, and what cannot be read is named in one line."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from coded_material import CODEBOOK, CODED, SOURCES, coding, part, project, qdpx, source
from surveywaves.errors import RawFileError
from surveywaves.qualitative.reading import Material, read_material
from surveywaves.qualitative.refi import read_codebook, read_project

CSV = "source,coder,code,start,end\nInterview 001,Anna,Joint working/Needed,0,10\n"
PLACES = ["source", "coder", "code", "start", "end"]


def read(root: Path, *segments: str, **about: object) -> Material:
    return read_material(part(root, *segments, **about), root=root)  # type: ignore[arg-type]


def refused(root: Path, *segments: str, **about: object) -> list[str]:
    with pytest.raises(RawFileError) as found:
        read(root, *segments, **about)
    return str(found.value).splitlines()


def problems(material: Material) -> set[str]:
    return set(material.problems["problem"])


# --- REFI-QDA ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["qualcoder.qdpx", "pyrefiqda.qdpx"])
def test_projects_of_other_programs_are_read(name: str) -> None:
    found = read_project(CODED / name, name)
    assert [one.code[1] for one in found.codings][:2] == [
        "Needed",
        {"qualcoder.qdpx": "Pay & conditions", "pyrefiqda.qdpx": "Pay and conditions"}[name],
    ]
    assert [(one.start, one.end) for one in found.codings][:2] == [("0", "10"), ("5", "30")]
    assert [names[0] for names, heading in found.codes.values() if heading] == ["Joint working"]
    assert len({one.coder for one in found.codings}) == 2
    assert not found.strange


def test_a_codebook_of_another_program_is_read() -> None:
    found = read_codebook(CODED / "qualcoder.qdc", "x")
    names = {names[0] for names, _ in found.codes.values()}
    assert names == {"Pay & conditions", "Joint working", "Joint working/Needed"}


def test_codings_of_a_project_become_segments(tmp_path: Path) -> None:
    whole = '<Coding guid="w"><CodeRef targetGUID="ba"/></Coding>'
    qdpx(
        tmp_path / "p.qdpx",
        project(source(coding() + coding("{ab}", start="20", end="30", user="{u3}") + whole)),
    )
    found = read(tmp_path, "p.qdpx")
    assert found.segments[PLACES].to_numpy().tolist() == [
        [1, 1, "Pay & conditions", pd.NA, pd.NA],
        [1, 2, "Joint working/Needed", 0, 9],
        [1, 3, "Joint working/Needed", 20, 30],
    ]
    assert list(found.sources["area"]) == ["teams", "teams"]
    assert found.problems.empty


@pytest.mark.parametrize(
    "kind",
    [
        '<PDFSource guid="P" name="Interview 001"><PDFSelection guid="s" page="1" firstX="0" firstY="0" secondX="1" '
        'secondY="1"><Coding guid="c"><CodeRef targetGUID="AB"/></Coding></PDFSelection></PDFSource>',
        '<AudioSource guid="P" name="Interview 001"><AudioSelection guid="s" begin="100" end="900"><Coding guid="c">'
        '<CodeRef targetGUID="AB"/></Coding></AudioSelection></AudioSource>',
    ],
    ids=["page of a PDF", "span of a recording"],
)
def test_selections_that_are_not_of_text_are_read(kind: str, tmp_path: Path) -> None:
    qdpx(tmp_path / "p.qdpx", project(f"<Sources>{kind}</Sources>"))
    found = read(tmp_path, "p.qdpx").segments
    assert len(found) == 1
    assert found["start"].isna().all() == ("PDF" in kind)


def test_a_code_without_a_row_goes_with_the_one_above_it(tmp_path: Path) -> None:
    below = CODEBOOK.replace(
        'conditions" isCodable="true"/>', 'conditions"><Code guid="BB" name="Grade"/></Code>'
    )
    qdpx(tmp_path / "p.qdpx", project(source(coding("BB")), codebook=below))
    assert list(read(tmp_path, "p.qdpx").segments["theme"]) == ["pay"]


def test_what_is_not_taken_is_listed(tmp_path: Path) -> None:
    other = "<Code guid='X' name='New'/></Codes>"
    inside = source(
        coding("X") + coding("ZZ") + coding(start="9", end="3") + coding(start="a") + coding() + coding()
    )
    case = '<Cases><Case guid="k" name="Bob"><CodeRef targetGUID="AB"/></Case></Cases>'
    stranger = '<TextSource guid="T2" name="Somebody Else">' + coding() + "</TextSource></Sources>"
    qdpx(
        tmp_path / "p.qdpx",
        project(case + inside.replace("</Sources>", stranger), codebook=CODEBOOK.replace("</Codes>", other)),
    )
    found = read(tmp_path, "p.qdpx")
    assert problems(found) == {
        "a code given to a Case, not to a source",
        "a code that codes.tsv does not have",
        "a code that the project does not have",
        "a passage that does not end after it starts",
        "the same passage coded twice alike",
        "a source that is not listed",
        "a code that no file has",
    }
    assert "Somebody" not in found.problems.to_csv()
    assert len(found.segments) == 2


# --- no text ----------------------------------------------------------------------------------------------------

SECRETS = ("SECRETTEXT", "SECRETNAME")


def secret_project() -> str:
    """Put words and names wherever the schema allows them."""
    name = 'name="SECRETNAME Jane"'
    words = "<Description>SECRETTEXT</Description>"
    selection = (
        coding()
        .replace('guid="s"', 'guid="s" name="SECRETTEXT quoted"')
        .replace("<Coding", words + "<Coding", 1)
    )
    broken = coding("nowhere", start="SECRETTEXT").replace('guid="s"', 'guid="s" name="SECRETTEXT"')
    return project(
        f'<Users><User guid="U1" {name} id="SECRETNAME"/><User guid="U2" {name}/></Users>'
        f'<Variables><Variable guid="v" {name} typeOfVariable="Text">{words}</Variable></Variables>'
        f'<Cases><Case guid="c" {name}>{words}<CodeRef targetGUID="AB"/><VariableValue><VariableRef targetGUID="v"/>'
        "<TextValue>SECRETTEXT</TextValue></VariableValue></Case></Cases>"
        f'<Sources><TextSource guid="T" name="Interview 001">{words}<PlainTextContent>SECRETTEXT I said'
        f"</PlainTextContent>{selection}{broken}</TextSource>"
        f'<TextSource guid="T2" {name} plainTextPath="internal://x.txt">{coding()}</TextSource></Sources>'
        f'<Notes><Note guid="n" {name}><PlainTextContent>SECRETTEXT</PlainTextContent>{coding("nowhere")}</Note>'
        "</Notes>"
        f"{words}<!-- SECRETTEXT --><?pi SECRETTEXT?>"
    )


def everything(material: Material) -> str:
    return "".join(frame.to_csv() for frame in material)


def test_no_word_of_a_project_reaches_any_table(tmp_path: Path) -> None:
    qdpx(tmp_path / "p.qdpx", secret_project(), ("Sources/x.txt", "SECRETTEXT"))
    found = read(tmp_path, "p.qdpx")
    assert len(found.segments) == 1
    assert not [one for one in SECRETS if one in everything(found)]
    assert all(one in secret_project() for one in SECRETS)


@pytest.mark.parametrize("name", ["qualcoder.qdpx", "pyrefiqda.qdpx"])
def test_no_word_of_other_programs_reaches_any_table(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes((CODED / name).read_bytes())
    found = read(tmp_path, name)
    assert len(found.segments)
    assert not [one for one in SECRETS if one in everything(found)]
    assert all(one.encode() in b"".join(_parts(CODED / name)) for one in SECRETS)


def _parts(path: Path) -> list[bytes]:
    with zipfile.ZipFile(path) as archive:
        return [archive.read(name) for name in archive.namelist()]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("</Sources>", "<Sources>"),
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("<Sources>", "<Sources>&SECRETTEXT;"),
        lambda text: text.replace("SECRETTEXT I said", "SECRETTEXT \x01"),
    ],
    ids=["unclosed", "cut off", "entity", "control character"],
)
def test_no_word_of_a_damaged_project_is_quoted(damage, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    qdpx(tmp_path / "p.qdpx", damage(secret_project()))
    (line,) = refused(tmp_path, "p.qdpx")
    assert "no well-formed XML" in line
    assert not [one for one in SECRETS if one in line]


def test_files_of_sources_are_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    once = zipfile.ZipFile.open

    def spy(self: zipfile.ZipFile, name: object, *more: object, **about: object) -> object:
        opened.append(getattr(name, "filename", name))
        return once(self, name, *more, **about)  # type: ignore[arg-type]

    monkeypatch.setattr(zipfile.ZipFile, "open", spy)
    qdpx(tmp_path / "p.qdpx", project(source(coding())), ("Sources/T.txt", "words"))
    opened.clear()
    read(tmp_path, "p.qdpx")
    assert opened == ["project.qde"]


def test_other_columns_of_a_table_of_segments_are_not_read(tmp_path: Path) -> None:
    table = CSV.replace("end\n", "end,SECRETNAME,Segment\n").replace(
        "0,10\n", "0,10,SECRETNAME,SECRETTEXT \x01\n"
    )
    (tmp_path / "s.csv").write_text(table, encoding="utf-8")
    found = read(tmp_path, "s.csv")
    assert "2 columns that are not needed" in problems(found)
    assert "SECRET" not in everything(found)


# --- hostile archives -------------------------------------------------------------------------------------------


def bomb() -> bytes:
    inside = source("<PlainTextContent>" + " " * 40_000_000 + "</PlainTextContent>")
    return project(inside).encode()


@pytest.mark.parametrize(
    ("document", "more", "said"),
    [
        (bomb, (), "unpacks to 40 MB"),
        (lambda: project(source(coding())), (("../../etc/passwd", "x"),), "leads out of the archive"),
        (lambda: project(source(coding())), (("..\\..\\boot.ini", "x"),), "leads out of the archive"),
        (lambda: project(source(coding())), (("/etc/passwd", "x"),), "leads out of the archive"),
        (lambda: project(source(coding())), (("C:\\boot.ini", "x"),), "leads out of the archive"),
        (lambda: project(source(coding())), (("PROJECT.QDE", "x"),), "holds project.qde 2 times"),
        (
            lambda: (
                '<!DOCTYPE Project [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
                + project("&x;").partition("\n")[2]
            ),
            (),
            "has a DOCTYPE",
        ),
        (
            lambda: (
                '<!DOCTYPE p [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + project("&b;").partition("\n")[2]
            ),
            (),
            "has a DOCTYPE",
        ),
        (
            lambda: '<!DOCTYPE p SYSTEM "http://x/y.dtd">' + project("").partition("\n")[2],
            (),
            "has a DOCTYPE",
        ),
        (lambda: project("<a>" * 300 + "</a>" * 300), (), "nested more than 200 deep"),
        (lambda: project("").replace("QDA-XML", "other"), (), "is no REFI-QDA document"),
        (lambda: "<html/>", (), "begins with <html>, not with <Project>"),
        (lambda: "", (), "no element found"),
        (lambda: project("").replace("utf-8", "x-unheard-of"), (), "unknown encoding"),
        (lambda: project("").encode().replace(b'name="p"', b'name="\xff"'), (), "no well-formed XML"),
    ],
)
def test_a_hostile_or_broken_project_is_refused_in_one_line(
    document, more, said: str, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    qdpx(tmp_path / "p.qdpx", document(), *more)
    (line,) = refused(tmp_path, "p.qdpx")
    assert said in line
    assert line.startswith("p.qdpx")


def test_a_bomb_takes_no_memory(tmp_path: Path) -> None:
    path = qdpx(tmp_path / "p.qdpx", bomb())
    tracemalloc.start()
    with pytest.raises(RawFileError):
        read_project(path, "p")
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_a_size_that_lies_is_refused(tmp_path: Path) -> None:
    content = qdpx(tmp_path / "p.qdpx", bomb()).read_bytes()
    size = len(bomb())
    (tmp_path / "p.qdpx").write_bytes(
        content.replace(size.to_bytes(4, "little"), (500).to_bytes(4, "little"))
    )
    (line,) = refused(tmp_path, "p.qdpx")
    assert "damaged" in line or "no well-formed XML" in line


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut off", b"\x00" * 100])
def test_what_is_no_archive_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "p.qdpx").write_bytes(content)
    (line,) = refused(tmp_path, "p.qdpx")
    assert line.startswith("p.qdpx: is damaged or no .qdpx")


def test_an_encrypted_archive_is_named(tmp_path: Path) -> None:
    content = bytearray(qdpx(tmp_path / "p.qdpx", project("")).read_bytes())
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        content[content.index(mark) + (6 if mark == b"PK\x03\x04" else 8)] |= 1
    (tmp_path / "p.qdpx").write_bytes(bytes(content))
    (line,) = refused(tmp_path, "p.qdpx")
    assert "encrypted" in line


def test_an_archive_without_a_project_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "p.qdpx", "w") as archive:
        archive.writestr("word/document.xml", "x")
    (line,) = refused(tmp_path, "p.qdpx")
    assert "holds project.qde 0 times" in line


# --- tables -----------------------------------------------------------------------------------------------------


def test_tables_of_segments_are_read_from_csv_and_xlsx_alike(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(CSV, encoding="utf-8")
    buffer = io.BytesIO()
    pd.read_csv(io.StringIO(CSV)).to_excel(buffer, index=False)
    (tmp_path / "s.xlsx").write_bytes(buffer.getvalue())
    pd.testing.assert_frame_equal(read(tmp_path, "s.csv").segments, read(tmp_path, "s.xlsx").segments)


def test_a_table_may_say_itself_who_was_interviewed(tmp_path: Path) -> None:
    rows = ("A,First,Teams,NHS,Pay & conditions", "B,Second,Wards,NHS,Pay & conditions")
    table = "\n".join(["Source,Stage,Service area,Organization,Code", *rows, ""])
    (tmp_path / "s.csv").write_text(table, encoding="utf-8")
    found = read(tmp_path, "s.csv", sources=None)
    assert found.sources.to_numpy().tolist() == [[1, "first", "teams", "nhs"], [2, "second", "wards", "nhs"]]
    assert found.segments["start"].isna().all()


def test_all_mistakes_are_listed_at_once(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("source,kode\nA,x\n", encoding="utf-8")
    (tmp_path / "broken.qdpx").write_bytes(b"no")
    wrong = (
        "Interview 003,First,Teems,NHS",
        "Interview 004,First,Teems,NHS",
        "Interview 001,First,Wards,NHS",
    )
    sources = SOURCES + "\n".join([*wrong, ",First,Teams,NHS", ""])
    lines = refused(tmp_path, "bad.csv", "broken.qdpx", "absent.csv", sources=sources)
    assert [line.partition(" (hint")[0] for line in lines] == [
        "bad.csv: has no column `code`",
        "broken.qdpx: is damaged or no .qdpx (BadZipFile)",
        "absent.csv: no such file",
        "sources.csv: row 4: unknown area `Teems`",
        "sources.csv: row 6: a source that stands above with another stage, area or organisation",
        "sources.csv: row 7: a source without a name",
    ]
    assert "did you mean `Teams`?" in lines[3]


def test_nothing_left_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(CSV.replace("Joint working/Needed", "Weather"), encoding="utf-8")
    qdpx(tmp_path / "p.qdpx", project(""))
    for name in ("s.csv", "p.qdpx"):
        assert refused(tmp_path, name)[0].startswith("qualitative.yaml: no coded segment is left")


def test_codes_of_a_codebook_that_have_no_theme_are_listed(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(CSV, encoding="utf-8")
    book = f'<CodeBook xmlns="urn:QDA-XML:codebook:1.0">{CODEBOOK[10:-11]}</CodeBook>'.replace(
        "Pay &amp; conditions", "Weather"
    )
    (tmp_path / "c.qdc").write_text(book, encoding="utf-8")
    found = read(tmp_path, "s.csv", codebooks=["c.qdc"]).problems
    assert found[["file", "value", "problem"]].to_numpy().tolist() == [
        ["c.qdc", "Weather", "a code that codes.tsv does not have"],
        ["codes.tsv", "Pay & conditions", "a code that no file has"],
    ]


def test_the_grid_of_observations_is_read_and_held_against_its_words(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(CSV, encoding="utf-8")
    rows = ("1,2006-08-01,Team,Roles,3", "1,,team,Joking,3", "2,,Board,Roles,1", "2,,Team,Roles,x")
    grid = "\n".join(["meeting,date,group,category,count", *rows, ""])
    (tmp_path / "o.csv").write_text(grid, encoding="utf-8")
    found = read(
        tmp_path, "s.csv", observations="o.csv", groups={"team": "Team"}, categories={"roles": "Roles"}
    )
    assert found.observed.to_numpy().tolist() == [["1", "2006-08-01", "team", "roles", 3]]
    assert {
        "a category that qualitative.yaml does not have",
        "a group that qualitative.yaml does not have",
        "no count",
    } <= problems(found)
