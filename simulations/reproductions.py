"""All checks of all simulations in one table: `plasticity reproduce`, and the table in the README."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

COLUMNS = ("simulation", "check", "expected", "ours", "tolerance", "holds", "source")


def summaries(folder: Path, names: Iterable[str]) -> list[dict[str, Any]]:
    """The summaries of the finished runs in FOLDER/NAME, in the order of the names."""
    from plasticity.records import read_json

    return [read_json(folder / name / "summary.json") for name in names if (folder / name / "summary.json").exists()]


def number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)


def rows(told: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Every check of these summaries as one row of COLUMNS."""
    for summary in told:
        for check in summary["checks"]:
            values = (number(check[key]) for key in ("published", "ours", "tolerance"))
            yield (summary["simulation"], check["name"], *values, "yes" if check["holds"] else "NO", check["source"])


def counted(told: Iterable[Mapping[str, Any]]) -> str:
    found = [check["holds"] for summary in told for check in summary["checks"]]
    return f"{sum(found)} of {len(found)} checks hold"


def markdown(told: list[dict[str, Any]]) -> str:
    """What stands in the README: how many checks of each simulation hold, which do not, and all of them below."""

    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"

    short = [line(("simulation", "checks that hold", "that do not (expected; ours)")), line(["---"] * 3)]
    for summary in told:
        checks = summary["checks"]
        failing = [f"{c['name']} ({number(c['published'])}; {number(c['ours'])})" for c in checks if not c["holds"]]
        share = f"{len(checks) - len(failing)} of {len(checks)}"
        short.append(line((f"`{summary['simulation']}`", share, ". ".join(failing) or "-")))
    whole = [line(COLUMNS), line(["---"] * len(COLUMNS)), *(line(row) for row in rows(told))]
    return "\n".join([*short, "", f"<details><summary>All checks: {counted(told)}</summary>", "", *whole, "", "</details>"])
