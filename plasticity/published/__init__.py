"""Published data points that simulations are held to: one small CSV table for each paper, with its citation in the file.

Each function returns a `Table`; `Table.source` is the citation with doi, `table["change"]` one column as an array. Changes
are relative (0.1 is +10 %), times in milliseconds, errors standard errors of the mean.
"""

from __future__ import annotations

import csv
import dataclasses
from importlib.resources import files

import numpy as np


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of published data points: its name, the paper with doi, columns by name (a unit is in the name)."""

    name: str
    source: str
    columns: dict[str, np.ndarray]

    def __getitem__(self, column: str) -> np.ndarray:
        return self.columns[column]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


def _read(name: str) -> Table:
    lines = (files(__name__) / f"{name}.csv").read_text(encoding="utf-8").splitlines()
    source = next(line for line in lines if line.startswith("# source: ")).removeprefix("# source: ")
    header, *rows = csv.reader(line for line in lines if not line.startswith("#"))
    columns = {}
    for title, values in zip(header, zip(*rows, strict=True), strict=True):
        try:
            columns[title] = np.array(values, dtype=float)
        except ValueError:
            columns[title] = np.array(values)
    return Table(name, source, columns)


def bi_poo_1998() -> Table:
    """Change by 60 pairs at 1 Hz over the lag, hippocampal culture: `lag_ms`, `change`, one row for each cell.

    Bi & Poo 1998, doi:10.1523/JNEUROSCI.18-24-10464.1998, fig. 7, read off the figure: lags are good to about 1 ms, so that
    the sign of one closer to 0 means little.
    """
    return _read("bi_poo_1998")


def sjoestroem_2001() -> Table:
    """Change over the frequency of pairs, visual cortex: `lag_ms`, `frequency_hz`, `change`, `sem`.

    Sjoestroem, Turrigiano & Nelson 2001, doi:10.1016/S0896-6273(01)00542-6, with the two decimals used by Pfister & Gerstner
    2006, doi:10.1523/JNEUROSCI.1425-06.2006. The five frequencies at +10 ms come first, then those at -10 ms.
    """
    return _read("sjoestroem_2001")


def wang_2005() -> Table:
    """Change by pairs, triplets and quadruplets, hippocampal culture: `protocol`, `d1_ms`, `d2_ms`, `T_ms`, `change`, `sem`.

    Wang, Gerkin, Nauen & Bi 2005, doi:10.1038/nn1387, with the decimals used by Pfister & Gerstner 2006,
    doi:10.1523/JNEUROSCI.1425-06.2006. T is the distance between the centres of the two pairs of a quadruplet.
    """
    return _read("wang_2005")
