"""What makes a pin fit for a repository: its README, its sums, its zip."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from small_pin import COMMIT, FILES, HOSTILE, KEY, PUBLISHED, RAW, TITLE, sha, small_pin
from surveywaves.cli import main
from surveywaves.errors import SurveywavesError
from surveywaves.pin.making import code, describe, readme, sums, words, write_archive
from surveywaves.pin.manifest import Revision


def pinned(folder: Path, title: str = TITLE) -> Path:
    describe(small_pin(folder, title=title), folder)
    return folder


def checked(folder: Path) -> subprocess.CompletedProcess[str]:
    """Ask sha256sum itself."""
    return subprocess.run(
        ["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )


# --- sums ---------------------------------------------------------------------------------------------------------


def test_sha256sum_finds_the_pin_whole_and_names_a_file_that_is_not(tmp_path: Path) -> None:
    folder = pinned(tmp_path)
    assert (checked(folder).returncode, checked(folder).stdout) == (0, "")
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    names = [line.split("  ", 1)[1] for line in lines]
    assert names == sorted([*FILES, "manifest.json", "README.md", "ro-crate-metadata.json"])
    (folder / "released/means.csv").write_text("wave,mean\nfirst,4.5\n")
    assert checked(folder).stdout == "released/means.csv: FAILED\n"


def test_sha256sum_reads_the_sums_of_files_with_the_oddest_names(tmp_path: Path) -> None:
    names = ["plain", "two words", "back\\slash", "line\nbreak", "\u05e9\u05dc\u05d5\u05dd"]
    for name in names:
        (tmp_path / name).write_text(name)
    (tmp_path / "SHA256SUMS").write_text(sums(tmp_path, names), encoding="utf-8")
    assert checked(tmp_path).returncode == 0
    (tmp_path / "line\nbreak").write_text("other")
    assert checked(tmp_path).returncode == 1


# --- the zip ------------------------------------------------------------------------------------------------------


def test_the_zip_holds_the_pin_with_the_crate_at_its_top(tmp_path: Path) -> None:
    folder = pinned(tmp_path / "first-pin")
    write_archive(folder, tmp_path / "first-pin.zip")
    with zipfile.ZipFile(tmp_path / "first-pin.zip") as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        archive.extractall(tmp_path / "unpacked")
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    folders = {f"{path.relative_to(folder).as_posix()}/" for path in folder.rglob("*") if path.is_dir()}
    assert set(names) == files | folders
    assert names == sorted(names)
    assert {"ro-crate-metadata.json", "README.md", "SHA256SUMS", "manifest.json"} <= files
    assert checked(tmp_path / "unpacked").returncode == 0


def test_a_zip_is_the_same_bytes_whenever_wherever_and_by_whomever_it_is_made(tmp_path: Path) -> None:
    write_archive(pinned(tmp_path / "one"), tmp_path / "one.zip")
    before = os.umask(0o077)
    try:
        other = pinned(tmp_path / "elsewhere/other")
    finally:
        os.umask(before)
    for path in other.rglob("*"):
        os.utime(path, (1, 1))
    write_archive(other, tmp_path / "elsewhere/other.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "elsewhere/other.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        forms = {
            (info.date_time, info.external_attr >> 16, info.compress_type) for info in archive.infolist()
        }
    assert forms == {((1980, 1, 1, 0, 0, 0), mode, zipfile.ZIP_STORED) for mode in (0o100644, 0o40755)}


def test_what_somebody_laid_into_the_folder_is_not_packed(tmp_path: Path) -> None:
    folder = pinned(tmp_path / "first-pin")
    (folder / "responses.csv").write_text("respondent,answer\n1,5\n")
    (folder / "released/export.sav").write_text("rows")
    (folder / "source/results/pooled").mkdir(parents=True)
    (folder / "source/results/pooled/responses.parquet").write_text("rows")
    write_archive(folder, tmp_path / "first-pin.zip")
    with zipfile.ZipFile(tmp_path / "first-pin.zip") as archive:
        assert not [name for name in archive.namelist() if "responses" in name or name.endswith(".sav")]


def test_the_command_packs_a_pin_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = pinned(Path("results/pins/first-pin"))
    write_archive(folder, Path("before.zip"))
    assert main(["archive", "first-pin"]) == 0
    assert capsys.readouterr().out == "packed: results/pins/first-pin.zip\n"
    assert main(["archive", "first-pin", "--output", "there.zip"]) == 0
    content = Path("before.zip").read_bytes()
    assert content == Path("results/pins/first-pin.zip").read_bytes() == Path("there.zip").read_bytes()
    assert main(["archive", "none"]) == 1
    assert capsys.readouterr().err == "results/pins/none: no such pin (hint: there is first-pin)\n"


def test_a_pin_that_nothing_describes_is_named_and_not_packed(tmp_path: Path) -> None:
    folder = pinned(tmp_path / "first-pin")
    for name in ("README.md", "ro-crate-metadata.json"):
        (folder / name).unlink()
    with pytest.raises(SurveywavesError, match=r"README\.md: gone since it was pinned") as refused:
        write_archive(folder, tmp_path / "first-pin.zip")
    assert len(refused.value.mistakes) == 2
    (folder / "SHA256SUMS").unlink()
    with pytest.raises(SurveywavesError, match="SHA256SUMS: gone since it was pinned"):
        write_archive(folder, tmp_path / "first-pin.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first-pin"]


def test_a_description_that_was_edited_is_named_and_not_packed(tmp_path: Path) -> None:
    folder = pinned(tmp_path / "first-pin")
    with (folder / "README.md").open("a") as text:
        text.write("Our response rate was 100%.")
    with pytest.raises(SurveywavesError, match=r"README\.md: changed since it was pinned"):
        write_archive(folder, tmp_path / "first-pin.zip")


# --- the README ---------------------------------------------------------------------------------------------------


def test_the_readme_says_first_what_the_numbers_are(tmp_path: Path) -> None:
    manifest = small_pin(tmp_path)
    lines = readme(manifest, tmp_path).splitlines()
    assert lines[0] == "# Trust among staff: first-pin"
    assert lines[2] == f"> **{manifest.statement}**"
    text = "\n".join(lines)
    assert f"commit `{COMMIT.commit}` of {COMMIT.date}" in text
    assert "| Second (`second`) | observed |" in text
    assert "Pinned although: Trust among staff: not as it is committed" in text
    assert text.count("in no git repository") == 0


def test_the_readme_lists_the_raw_files_that_somebody_must_bring_and_no_other(tmp_path: Path) -> None:
    manifest = small_pin(tmp_path)
    text = readme(manifest, tmp_path)
    assert f"| `{RAW}` | `{KEY.of_file(RAW, sha(RAW))}` |" in text
    assert sha(RAW) not in text
    assert PUBLISHED not in text
    own = manifest.model_copy(update={"raw": {PUBLISHED: manifest.raw[PUBLISHED]}})
    assert "The raw files are not here" not in readme(own, tmp_path)
    assert "Nothing else is needed" in readme(own, tmp_path)


def test_the_readme_says_how_to_cite_results_workflow_and_source(tmp_path: Path) -> None:
    text = readme(small_pin(tmp_path), tmp_path)
    assert "> Trust among staff: first-pin. Made with surveywaves, commit 0123456789ab. DOI: ..." in text
    assert "> The developers, Ada Adler. surveywaves, version 0.1.0" in text
    assert "> Bo Burke (2007). Partnerships: Final Report" in text
    assert "Licence: MIT" in text


def test_the_readme_does_not_know_what_is_not_known(tmp_path: Path) -> None:
    manifest = small_pin(tmp_path, commit=None).model_copy(update={"proved": False, "overridden": {}})
    (tmp_path / "source/CITATION.cff").unlink()
    text = readme(manifest, tmp_path)
    assert "Workflow: in no git repository." in text
    assert "**not** computed a second time" in text
    assert "No licence is stated." in text
    assert "Pinned although" not in text
    other = Revision(commit="f" * 40, date="2026-01-01T00:00:00+00:00")
    assert f"- Study: commit `{'f' * 40}`" in readme(manifest.model_copy(update={"study": other}), tmp_path)


def test_a_title_of_markup_is_read_as_words(tmp_path: Path) -> None:
    text = readme(small_pin(tmp_path, title=HOSTILE), tmp_path)
    reader = MarkdownIt("commonmark").enable("table")
    page = reader.render(text)
    harmless = reader.render(readme(small_pin(tmp_path, title=TITLE), tmp_path))
    assert "<script" not in page
    assert "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;" in page
    for mark in ("<h1", "<h2", "<code", "<a ", "<td", "<tr", "<blockquote", "<li"):
        assert page.count(mark) == harmless.count(mark), mark
    assert "\u202e" not in page
    assert "\u05e9\u05dc\u05d5\u05dd" in page


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("two\n\n# lines", "two \\# lines"),
        ("a | b", "a \\| b"),
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
        ("*_`[x](y)", "\\*\\_\\`\\[x\\](y)"),
    ],
)
def test_words_mean_nothing_to_markdown(text: str, told: str) -> None:
    assert words(text) == told
    page = MarkdownIt("commonmark").render(words(text)).strip()
    assert MarkdownIt("commonmark").render(words("plain")).strip() == "<p>plain</p>"
    assert page.startswith("<p>")
    assert "<b>" not in page
    assert "<a" not in page


@pytest.mark.parametrize("name", ["plain", "`", "a``b", "<b>"])
def test_a_name_stays_a_name_in_code(name: str) -> None:
    page = MarkdownIt("commonmark").renderInline(code(name))
    assert page == f"<code>{name.replace('<', '&lt;').replace('>', '&gt;')}</code>"
