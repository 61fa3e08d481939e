"""Checks and single numbers of summaries as texts and rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from simulations.frame.checks import KINDS

if TYPE_CHECKING:
    from simulations.frame.experiment import Experiment

MANY_SEEDS = 6  # from here on an interval is more than the range
COLUMNS = ("simulation", "check", "expected", "ours", "tolerance", "holds", "kind", "source")
CHECKS = COLUMNS[1:]


def number(value: Any, digits: int = 4) -> str:
    """A number of a check; a text stays as it is."""
    return f"{value:.{digits}g}" if isinstance(value, float) else "" if value is None else str(value)


def told(value: Any, digits: int = 5) -> str | None:
    """A single number of a summary, over seeds with its 95 % interval; None for what is more than one."""
    if isinstance(value, Mapping) and {"mean", "low", "high"} <= {*value}:
        known = value["low"] is not None and value["high"] is not None and value["low"] < value["high"]
        return number(value["mean"], digits) + (f" [{value['low']:.{digits}g}, {value['high']:.{digits}g}]" if known else "")
    return None if isinstance(value, (Mapping, list)) else number(value, digits)


def checked(check: Mapping[str, Any], digits: int = 5, few: str = "") -> tuple[str, ...]:
    """A check as one row of CHECKS; one that fails in a run of too few seeds says so (`few`)."""
    values = (number(check[key], digits) for key in ("published", "ours", "tolerance"))
    return (check["name"], *values, "yes" if check["holds"] else f"NO{few}", kind_of(check), check["source"])


def kind_of(check: Mapping[str, Any]) -> str:
    """The kind of a check in words; a record of an older version has none."""
    return str(check.get("kind", "unsaid")).replace("_", " ")


def few_seeds(experiment: Experiment, seeds: int) -> str:
    """What stands behind a check that fails, where the run has so few seeds that this decides nothing; else nothing."""
    return ": too few\nseeds to tell" if experiment.seeded and seeds < min(experiment.default_seeds, MANY_SEEDS) else ""


def rows(found: Iterable[Mapping[str, Any]], few: str = "") -> Iterator[tuple[str, ...]]:
    """Every check of these summaries as one row of COLUMNS."""
    for summary in found:
        for check in summary["checks"]:
            yield (summary["simulation"], *checked(check, 4, few))


def counted(found: Iterable[Mapping[str, Any]]) -> str:
    """How many checks of these summaries hold, whatever their kind."""
    holds = [check["holds"] for summary in found for check in summary["checks"]]
    return f"{sum(holds)} of {len(holds)} checks hold"


def by_kind(found: Iterable[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    """How many checks of each kind hold in these summaries, and of how many; kinds without a check are left out."""
    told = [(kind_of(check), bool(check["holds"])) for summary in found for check in summary["checks"]]
    kinds = dict.fromkeys([*(kind_of({"kind": kind}) for kind in KINDS), *(kind for kind, _ in told)])
    holds = {kind: [held for own, held in told if own == kind] for kind in kinds}
    return {kind: (sum(held), len(held)) for kind, held in holds.items() if held}


def counted_by_kind(found: Iterable[Mapping[str, Any]]) -> str:
    """`by_kind` in words: paper 3 of 4, own 2 of 2."""
    return ", ".join(f"{kind} {held} of {many}" for kind, (held, many) in by_kind(found).items())
