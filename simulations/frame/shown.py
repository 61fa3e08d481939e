"""Checks and single numbers of summaries as texts and rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulations.frame.experiment import Experiment

MANY_SEEDS = 6  # from here on an interval is more than the range
COLUMNS = ("simulation", "check", "expected", "ours", "tolerance", "holds", "source")
CHECKS = COLUMNS[1:]


def number(value: Any, digits: int = 4) -> str:
    """A number of a check; a text stays as it is."""
    return f"{value:.{digits}g}" if isinstance(value, float) else "" if value is None else str(value)


def told(value: Any) -> str | None:
    """A single number of a summary, over seeds with its 95 % interval; None for what is more than one."""
    if isinstance(value, Mapping) and {"mean", "low", "high"} <= {*value}:
        known = value["low"] is not None and value["high"] is not None
        return number(value["mean"], 5) + (f" [{value['low']:.5g}, {value['high']:.5g}]" if known else "")
    return None if isinstance(value, (Mapping, list)) else number(value, 5)


def checked(check: Mapping[str, Any], digits: int = 5, few: str = "") -> tuple[str, ...]:
    """A check as one row of CHECKS; one that fails in a run of too few seeds says so (`few`)."""
    values = (number(check[key], digits) for key in ("published", "ours", "tolerance"))
    return (check["name"], *values, "yes" if check["holds"] else f"NO{few}", check["source"])


def few_seeds(experiment: Experiment, seeds: int) -> str:
    """What stands behind a check that fails, where the run has so few seeds that this decides nothing; else nothing."""
    return ": too few\nseeds to tell" if experiment.seeded and seeds < min(experiment.default_seeds, MANY_SEEDS) else ""


def rows(found: Iterable[Mapping[str, Any]], few: str = "") -> Iterator[tuple[str, ...]]:
    """Every check of these summaries as one row of COLUMNS."""
    for summary in found:
        for check in summary["checks"]:
            yield (summary["simulation"], *checked(check, 4, few))


def counted(found: Iterable[Mapping[str, Any]]) -> str:
    """How many checks of these summaries hold."""
    holds = [check["holds"] for summary in found for check in summary["checks"]]
    return f"{sum(holds)} of {len(holds)} checks hold"
