"""Noise, missing and outlying values: what imputing medians and robust scaling save, on both sides.

The rows are scikit-learn's breast_cancer, 569 tumours of 30 measures of very different sizes, two classes. Training and test rows
are disturbed alike, in units of the spread of each measure:

    noise      normal noise of so many spreads on every value
    missing    a share of the values is not there
    outlying   a share of the values is moved by `away` spreads, up or down

Both sides get the same rows from 0 to 1, as a firing rate needs, by one of three ways (scikit-learn's), fitted on training rows:

    none     what is missing is 0; each measure from its least to its largest value
    median   what is missing is the median of its measure; scaled as before
    robust   the same medians; then centred by the median, divided by the distance of the quartiles (RobustScaler), and cut off at
             2 of these distances on either side

Where nothing is missing, none and median are the same. The torch side is a multilayer perceptron trained by gradient, the spiking
side a network that hears only whether it was right. Settings were chosen on the split of seed 1000.

Sources: Street, Wolberg & Mangasarian 1993, doi:10.1117/12.148698 (the data); Huber 1964, doi:10.1214/aoms/1177703732 (estimates
that outlying values move little); Rubin 1976, doi:10.1093/biomet/63.3.581 (missing at random).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, RobustScaler

from plasticity.settings import setting
from plasticity.statistics import SHARE, interval, paired_difference
from simulations.figures.worked import disturbed
from simulations.frame.checks import beyond
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Measure
from simulations.frame.worked import Example, OnBothSides, share, spiking, told

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

STREET = "Street, Wolberg & Mangasarian 1993, doi:10.1117/12.148698"
HUBER = "Huber 1964, doi:10.1214/aoms/1177703732"
RUBIN = "Rubin 1976, doi:10.1093/biomet/63.3.581"
SIDES, WAYS = ("torch", "spiking"), ("none", "median", "robust")
TEST = 0.4
SHARED = TEST / (1 - TEST)  # each seed splits the same rows anew: see `plasticity.statistics.interval`
REPEATS, PASSES = 5, 3  # of the spiking network: its rows are shown so often in a pass


def disturb(X: np.ndarray, what: str, size: float, spread: np.ndarray, away: float, rng: np.random.Generator) -> np.ndarray:
    """Rows with noise, missing (nan) or outlying values; as many of the latter up as down."""
    if what == "noise":
        return X + size * spread * rng.standard_normal(X.shape)
    hit = rng.random(X.shape) < size
    return np.where(hit, np.nan if what == "missing" else X + away * spread * rng.choice((-1.0, 1.0), X.shape), X)


def _unit(z: np.ndarray) -> np.ndarray:
    return np.clip(z / 4 + 0.5, 0, 1)


def way(name: str) -> Pipeline:
    """From disturbed rows to numbers from 0 to 1."""
    if name == "robust":
        return make_pipeline(SimpleImputer(strategy="median"), RobustScaler(), FunctionTransformer(_unit))
    imputer = SimpleImputer(strategy="median") if name == "median" else SimpleImputer(strategy="constant", fill_value=0.0)
    return make_pipeline(imputer, MinMaxScaler(clip=True))


@dataclass(frozen=True)
class Preprocessing(OnBothSides):
    __doc__ = __doc__

    name: ClassVar[str] = "preprocessing"
    summary: ClassVar[str] = "noise, missing and outlying values: no preprocessing, medians, robust scaling, on both sides"
    source: ClassVar[str] = f"{STREET}; {HUBER}; {RUBIN}"
    measures: ClassVar[tuple[Measure, ...]] = tuple(
        Measure(f"{what}_{name}_{side}", "", f"accuracy with the most {what} values, {name}, {side}", within=SHARE)
        for what in ("missing", "outlying") for side in SIDES for name in WAYS
    )  # fmt: skip

    noise: tuple[float, ...] = setting((1.0, 3.0), "noise, in spreads of each measure", low=0, high=1000)
    missing: tuple[float, ...] = setting((0.2, 0.5), "shares of missing values", low=0, below=1)
    outlying: tuple[float, ...] = setting((0.02, 0.1), "shares of outlying values", low=0, below=1)
    away: float = setting(30.0, "how far outlying values lie, in spreads of each measure", low=0, high=1e6)

    def sizes(self) -> dict[str, tuple[float, ...]]:
        """The sizes of each disturbance, without 0."""
        return {"noise": self.noise, "missing": self.missing, "outlying": self.outlying}

    def run(self, seed: int) -> Arrays:
        """accuracy_noise, accuracy_missing, accuracy_outlying (sides, ways, sizes from 0)."""
        X, y = load_breast_cancer(return_X_y=True)
        split = train_test_split(np.arange(len(y)), test_size=TEST, stratify=y, random_state=seed)
        spread = X[split[0]].std(axis=0)
        clean = np.array([self.both(X, y, split, name, seed) for name in ("none", "robust")])  # (ways, sides)
        found = {}
        for k, (what, sizes) in enumerate(self.sizes().items()):
            kept = np.empty((len(SIDES), len(WAYS), len(sizes) + 1))
            kept[:, :, 0] = clean[[0, 0, 1]].T
            for n, size in enumerate(sizes, start=1):
                rows = disturb(X, what, size, spread, self.away, np.random.default_rng([seed, k, n]))
                for w, name in enumerate(WAYS):
                    again = w == 1 and what != "missing"  # nothing is missing: as without
                    kept[:, w, n] = kept[:, 0, n] if again else self.both(rows, y, split, name, seed)
            found[f"accuracy_{what}"] = kept
        return found

    def both(self, X: np.ndarray, y: np.ndarray, split: list[np.ndarray], name: str, seed: int) -> list[float]:
        """Accuracy of both sides on the test rows."""
        from bridges.learners import LEARNERS

        made = way(name).fit(X[split[0]])
        train, test = (made.transform(X[part]) for part in split)
        torch = LEARNERS["mlp"].build().set_params(streams=1, random_state=seed, hidden=32, epochs=15)
        order = np.random.default_rng([seed, 21]).permutation(np.tile(np.arange(len(train)), REPEATS))
        local = spiking(seed, (40,), PASSES, cells="on_off", block=1000)
        torch.fit(train, y[split[0]])
        local.fit(train[order], y[split[0]][order])
        return [float(np.mean(learner.predict(test) == y[split[1]])) for learner in (torch, local)]

    def found(self, a: Arrays) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for what, sizes in self.sizes().items():
            for s, side in enumerate(SIDES):
                for w, name in enumerate(WAYS):
                    told[f"{what}_{name}_{side}"] = share(a[f"accuracy_{what}"][:, s, w, -1], SHARED)
                    for n, size in enumerate((0.0, *sizes)):
                        told[f"accuracy, {what} {size:g}, {name}, {side}"] = share(a[f"accuracy_{what}"][:, s, w, n], SHARED)
        return told

    def examples(self, a: Arrays) -> Iterable[Example]:
        data = load_breast_cancer().target.mean()
        for s, side in enumerate(SIDES):
            for what, ours, source in (
                ("missing", 1, f"medians in place of 0: {RUBIN}"),
                ("outlying", 2, f"quartiles in place of extremes: {HUBER}"),
            ):
                rows, size = a[f"accuracy_{what}"][:, s, :, -1], self.sizes()[what][-1]
                yield Example("preprocessing helps", beyond(
                    f"{size:.0%} {what} values: {WAYS[ours]} above none, {side}",
                    paired_difference(rows[:, ours], rows[:, 0], shared=SHARED), above=0, kind="own", source=source,
                ))  # fmt: skip
            worst = min((a[f"accuracy_{what}"][:, s, 2, -1] for what in self.sizes()), key=np.mean)
            yield Example("none", beyond(
                f"robust, the largest of each disturbance: the least accuracy above always naming the larger class, {side}",
                worst, above=float(data), bounds=interval(worst, shared=SHARED, within=SHARE), kind="closed_form",
                published=f"above {data:.3f}", source=f"the share of benign tumours among all rows, {STREET}",
                told=f"{told(worst, SHARED)}; clean {told(a['accuracy_noise'][:, s, 2, 0], SHARED)}",
            ))  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        sizes = {what: (0.0, *given) for what, given in self.sizes().items()}
        chance = 100 * float(load_breast_cancer().target.mean())
        return {"preprocessing": disturbed(sizes, SIDES, WAYS, {what: a[f"accuracy_{what}"] for what in sizes}, chance, SHARED)}


if __name__ == "__main__":
    script(Preprocessing.name)
