"""A pin made ready for a repository: described, summed up, packed."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.pin.crate import CRATE, README, SUMS, crate
from surveywaves.pin.manifest import NAME, Manifest, read_manifest
from surveywaves.pin.readme import readme
from surveywaves.pin.verify import require_whole
from surveywaves.script import digest, whole, write_bytes, write_text

_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can say."""

_MODE: Final = 0o100644
_UNIX: Final = 3


def describe(manifest: Manifest, folder: Path) -> None:
    """Write into a pin what describes it: `README.md`, `ro-crate-metadata.json` and `SHA256SUMS`.

    Parameters
    ----------
    manifest
        What the pin says of itself.
    folder
        The pin, its files and its manifest already there.
    """
    write_text(readme(manifest, folder), str(folder / README))
    write_bytes(crate(manifest, folder), str(folder / CRATE))
    names = [*manifest.outputs, NAME, README, CRATE]
    write_text(sums(folder, names), str(folder / SUMS))


def sums(folder: Path, names: Iterable[str]) -> str:
    """Sum files up as `sha256sum` does, and as `sha256sum --check` reads."""
    return "".join(_sum(digest(folder / name), name) for name in sorted(names))


def _sum(hash_: str, name: str) -> str:
    odd = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})
    told = name.translate(odd)
    return f"{'' if told == name else chr(92)}{hash_}  {told}\n"


def write_archive(folder: Path, target: Path) -> None:
    """Pack a pin into a zip that has the crate at its top.

    It holds what the pin's manifest names and what describes the pin, and nothing else that may lie in the folder. The
    same pin gives the same bytes everywhere: no time, one mode, and nothing is compressed, since what compression gives
    is another thing with another zlib. It would save half.

    Parameters
    ----------
    folder
        The pin.
    target
        The zip; it is there whole or not at all.

    Raises
    ------
    SurveywavesError
        If the folder holds no pin, or its files are not those that its manifest and its sums tell of.
    """
    manifest = read_manifest(folder)
    require_whole(folder, manifest)
    _require_described(folder)
    names = sorted([*manifest.outputs, NAME, README, CRATE, SUMS])
    with whole(str(target)) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            entry = zipfile.ZipInfo(name, date_time=_NO_TIME)
            entry.create_system = _UNIX
            entry.external_attr = _MODE << 16
            archive.writestr(entry, (folder / name).read_bytes())


def _require_described(folder: Path) -> None:
    """Raise what is amiss with the files that the manifest does not count."""
    names = (NAME, README, CRATE, SUMS)
    if absent := [name for name in names if not (folder / name).is_file()]:
        hint = "take the pin out of git again"
        raise SurveywavesError(Mistake(name, "no such file in the pin", hint) for name in absent)
    stated = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    if other := [name for name in names[:-1] if _sum(digest(folder / name), name).strip() not in stated]:
        raise SurveywavesError(
            Mistake(name, f"not as {SUMS} has it", "take the pin out of git again") for name in other
        )
