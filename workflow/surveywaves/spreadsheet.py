"""Text that a spreadsheet may take for a formula."""

from __future__ import annotations

from typing import Any, Final

FORMULA: Final = tuple("=+-@\t\r\n＝＋－＠")
"""How a text begins that a spreadsheet may run."""


def harmless(value: Any) -> Any:
    """Put an apostrophe before a text that begins as a formula does (OWASP, CSV injection); numbers stay numbers."""
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA):
        return f"'{value}"
    return value
