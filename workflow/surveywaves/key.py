"""The team's key: what is not released is named in a pin by a digest that nobody can try guesses against.

A plain SHA-256 of a table of counts lets anybody find the counts by trying: there are few tables that they could be.
With a key (HMAC, RFC 2104) only the team can. It is made when it is first needed, and stays in the folder of the study.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from surveywaves.errors import SurveywavesError
from surveywaves.files import whole, write_bytes
from surveywaves.terms import OWNER_ONLY

PRIVATE: Final = Path("resources/private")
"""Folder of what stays with the team and goes with it to another machine."""

NAME: Final = PRIVATE / "key"

KEYED: Final = "hmac-sha256:"
"""How a digest begins that only the key can make."""

_BYTES: Final = 32

RESTORE: Final = "bring resources/private from the machine or the copy that has it; see docs/pinning.md"


@dataclass(frozen=True)
class Key:
    """A secret; it is never shown, its `name` may be."""

    secret: bytes = field(repr=False)

    def digest(self, *parts: str) -> str:
        """Return the HMAC-SHA256 of some words, in hexadecimal; no other words have the same."""
        said = "".join(f"{len(part)}:{part}" for part in parts)
        return hmac.digest(self.secret, said.encode(), "sha256").hex()

    @cached_property
    def name(self) -> str:
        """Identify the key without giving it away."""
        return self.digest("key")[:16]

    def of_file(self, path: str, sha256: str) -> str:
        """Turn a file's SHA-256 into what a pin may say: files that are alike in two places do not show it."""
        return KEYED + self.digest("file", path, sha256)


def is_keyed(digest: str) -> bool:
    """Check whether a digest is one that only a key can make."""
    return digest.startswith(KEYED)


def comparable(
    old: Mapping[str, str], new: Mapping[str, str], key: Key | None, *, one_key: bool = True
) -> dict[str, str]:
    """Put digests into the form that others have, so that they can be compared; what cannot be counts as unchanged.

    Parameters
    ----------
    old, new
        Path -> digest, plain or keyed.
    key
        The key of those that are keyed; None: it is not here.
    one_key
        Whether those of both that are keyed have the same key.
    """
    found = {}
    for path, digest in new.items():
        other = old.get(path, digest)
        if is_keyed(other) and is_keyed(digest):
            found[path] = digest if one_key else other
        elif is_keyed(other) == is_keyed(digest):
            found[path] = digest
        elif key is None:
            found[path] = other
        elif is_keyed(other):
            found[path] = key.of_file(path, digest)
        else:
            found[path] = other if key.of_file(path, other) == digest else digest
    return found


def read_key(folder: Path) -> Key | None:
    """Read the key of a study; None: it has none yet.

    Parameters
    ----------
    folder
        The working folder.

    Raises
    ------
    SurveywavesError
        If it is no key, or others can read it.
    """
    path = folder / NAME
    try:
        text = path.read_text(encoding="ascii").strip()
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        raise SurveywavesError.at(NAME, "cannot be read", RESTORE) from None
    if not re.fullmatch(rf"[0-9a-f]{{{2 * _BYTES}}}", text):
        raise SurveywavesError.at(NAME, f"no key: it is not {2 * _BYTES} hexadecimal digits", RESTORE)
    if os.name == "posix" and mode & ~OWNER_ONLY & 0o777:  # Windows tells rights otherwise
        raise SurveywavesError.at(NAME, "others than its owner can read it", f"chmod 600 {NAME}")
    return Key(bytes.fromhex(text))


def make_key(folder: Path) -> Key:
    """Make a key for a study that has none, in a folder that git ignores and only its owner can enter."""
    room = folder / PRIVATE
    room.mkdir(parents=True, exist_ok=True, mode=0o700)
    room.chmod(0o700)
    with whole(str(room / ".gitignore")) as temporary:
        temporary.write_text("*\n", encoding="ascii")
    key = Key(secrets.token_bytes(_BYTES))
    write_bytes(f"{key.secret.hex()}\n".encode(), str(folder / NAME), private=True)
    return key
