"""Files that only their owner can read."""

from __future__ import annotations

from surveywaves.script import whole

OWNER_ONLY = 0o600


def write_private(content: bytes, path: str) -> None:
    """Write a file with mode 0600; at no moment can anybody else read it, or a part of it under its name."""
    with whole(path) as temporary:
        temporary.unlink(missing_ok=True)
        temporary.touch(mode=OWNER_ONLY, exist_ok=False)
        temporary.chmod(OWNER_ONLY)
        temporary.write_bytes(content)
