"""Tables as plain data: `title`, `columns`, `rows` and `notes`, from which a report, a terminal or JSON can be made."""

from __future__ import annotations


def column(key: str, title: str, unit: str = "", format: str = "") -> dict[str, str]:
    """What a column shows (a key of the rows), its title, unit, and format as of Python's `format`."""
    return {"key": key, "title": title, "unit": unit, "format": format}
