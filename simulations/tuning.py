"""Learning rate, L2 penalty and dropout of a network: grid, random and successive halving search, and what each costs.

A multilayer perceptron (`bridges.TorchClassifier`, a scikit-learn estimator; gradient descent with momentum, so that its decay is
an L2 penalty) on `search_rows` scans of digits is tuned by scikit-learn's own searches, in `folds` parts of the training rows:

    grid      GridSearchCV: 4 learning rates x 2 penalties x 2 dropouts, each for `search_epochs` epochs, in scikit-learn's order
    random    RandomizedSearchCV: as many settings, drawn from the same ranges, learning rate and penalty by their logarithm
    halving   HalvingRandomSearchCV: many settings for few epochs, the better third for three times as many, and so on

Beside what they find stands what it took until a score within 95 % of the best one (of all three, on the same rows) was first
seen: fits (settings x parts) and epochs. Of n settings of which k are good a random order sees a good one after (n + 1)/(k + 1)
on average: random search is held to it, and for those of the grid it stands beside what its own order took. Each search's
choice is trained again on all training rows, and tested on 400 others.

Nothing is chosen by the test rows. Two draws of the 1797 scans share 400/1797 of those tested and 300/1797 of those learnt from.
Their accuracies are taken to be correlated by the larger of the two, as those of the other examples (Nadeau & Bengio 2003,
doi:10.1023/A:1024068626366; `plasticity.statistics.interval`); in simulations such intervals of five draws hold in 95 to 99 %.

Sources: Bergstra & Bengio 2012, JMLR 13:281-305 (random search); Jamieson & Talwalkar 2016, arXiv:1502.07943 (successive
halving); Srivastava et al. 2014, JMLR 15:1929-1958 (dropout).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.stats import loguniform, uniform
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  (makes the next line possible)
from sklearn.model_selection import (
    GridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
    StratifiedKFold,
)

from plasticity.settings import setting
from plasticity.statistics import AMOUNT, mean_and_interval, paired_difference
from simulations.figures.worked_networks import searches
from simulations.frame.checks import beyond, near
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Measure
from simulations.frame.worked import SHARED, Example, Worked, digits, share, told

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

BERGSTRA = "Bergstra & Bengio 2012, JMLR 13:281-305"
JAMIESON = "Jamieson & Talwalkar 2016, arXiv:1502.07943"
SEARCHES = ("grid", "random", "halving")
GRID = {"learning_rate": [1e-3, 1e-2, 1e-1, 1.0], "weight_decay": [1e-4, 1e-2], "dropout": [0.0, 0.5]}
DRAWN = {"learning_rate": loguniform(1e-3, 1.0), "weight_decay": loguniform(1e-4, 1e-2), "dropout": uniform(0, 0.5)}
NEAR, FACTOR, TESTED = 0.95, 3, 400


@dataclass(frozen=True)
class Tuning(Worked):
    __doc__ = __doc__

    name: ClassVar[str] = "tuning"
    summary: ClassVar[str] = (
        "learning rate, L2 and dropout by grid, random and successive halving search: what each finds and costs"
    )
    source: ClassVar[str] = f"{JAMIESON}; {BERGSTRA}"
    compiled: ClassVar[bool] = False
    own_process: ClassVar[bool] = True
    time_step: ClassVar[str] = "None: a network without time."
    measures: ClassVar[tuple[Measure, ...]] = tuple(
        Measure(f"{what}_{name}", unit, f"{meaning}, {name}", within=AMOUNT)
        for what, unit, meaning in (
            ("fits", "fits", "until a score within 95 % of the best was seen"),
            ("epochs", "epochs", "until then"),
            ("accuracy", "", "of its choice on test rows"),
        )
        for name in SEARCHES
    )

    search_rows: int = setting(300, "training rows", low=60, high=1300)
    search_epochs: int = setting(9, "epochs of a whole training, a power of 3", low=3, high=729)
    folds: int = setting(2, "parts of the training rows, each held out once", low=2, high=20)

    @property
    def tried(self) -> int:
        """Settings that the grid and the random search try."""
        return int(np.prod([len(values) for values in GRID.values()]))

    def searches(self, seed: int) -> dict[str, Any]:
        """The three searches, not yet fitted."""
        from bridges.learners import LEARNERS

        fixed = {
            "streams": 1,
            "random_state": seed,
            "hidden": 64,
            "optimiser": "sgd",
            "batch": 32,
            "epochs": self.search_epochs,
            "patience": self.search_epochs,
        }
        network = LEARNERS["mlp"].build().set_params(**fixed)
        common: dict[str, Any] = {"cv": StratifiedKFold(self.folds, shuffle=True, random_state=seed), "error_score": 0.0}
        drawn: dict[str, Any] = {**common, "random_state": seed}
        return {
            "grid": GridSearchCV(network, GRID, **common),
            "random": RandomizedSearchCV(network, DRAWN, n_iter=self.tried, **drawn),
            "halving": HalvingRandomSearchCV(
                network, DRAWN, n_candidates=self.search_epochs * FACTOR, factor=FACTOR, resource="epochs", min_resources=1,
                max_resources=self.search_epochs, **drawn,
            ),
        }  # fmt: skip

    def run(self, seed: int) -> Arrays:
        """Of each search SEARCH_score and SEARCH_epochs of each setting tried, (settings,); chosen (searches,) on test rows."""
        X, y, test, asked = digits(seed, self.search_rows, TESTED)
        found: dict[str, np.ndarray] = {}
        right = []
        for name, search in self.searches(seed).items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of settings whose training diverges: they score 0
                search.fit(X, y)
            results = search.cv_results_
            found[f"{name}_score"] = np.asarray(results["mean_test_score"], dtype=float)
            found[f"{name}_epochs"] = np.asarray(results.get("n_resources", np.full(self.tried, self.search_epochs)), dtype=float)
            right.append(search.score(test, asked))
        return {**found, "chosen": np.array(right)}

    def reached(self, a: Arrays) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Fits and epochs until a good score is seen (seeds, searches), nan where never; good settings of the grid (seeds,)."""
        least = NEAR * best(a)
        fits, epochs = np.full((2, len(least), len(SEARCHES)), np.nan)
        for k, name in enumerate(SEARCHES):
            good, spent = a[f"{name}_score"] >= least, a[f"{name}_epochs"].cumsum(axis=1)
            for seed in np.flatnonzero(good.any(axis=1)):
                first = int(good[seed].argmax())
                fits[seed, k], epochs[seed, k] = self.folds * (first + 1), self.folds * spent[seed, first]
        return fits, epochs, (a["grid_score"] >= least).sum(axis=1)

    def found(self, a: Arrays) -> dict[str, Any]:
        fits, epochs, good = self.reached(a)
        told: dict[str, Any] = {}
        for k, name in enumerate(SEARCHES):
            told[f"fits_{name}"] = mean_and_interval(fits[:, k], within=AMOUNT)
            told[f"epochs_{name}"] = mean_and_interval(epochs[:, k], within=AMOUNT)
            told[f"accuracy_{name}"] = share(a["chosen"][:, k], SHARED)
            told[f"best score, {name}"] = share(a[f"{name}_score"].max(axis=1), SHARED)
            told[f"seeds that reach 95 % of the best, {name}"] = int(np.isfinite(fits[:, k]).sum())
            told[f"epochs of the whole search, {name}"] = float(self.folds * a[f"{name}_epochs"].sum(axis=1).mean())
        told["good settings of the grid"] = mean_and_interval(good.astype(float), within=AMOUNT)
        told["fits of a grid in random order"] = mean_and_interval(self.folds * (self.tried + 1) / (good + 1), within=AMOUNT)
        return told

    def examples(self, a: Arrays) -> Iterable[Example]:
        fits, epochs, _ = self.reached(a)
        names = dict(zip(SEARCHES, range(3), strict=True))
        near_best = a["random_score"] >= NEAR * best(a)
        yield Example("tune learning rate, L2, dropout", beyond(
            "share of random settings within 95 % of the best", near_best.mean(axis=1), below=0.5, kind="own",
            source="control: it matters which is taken",
        ))  # fmt: skip
        whole = [self.folds * a[f"{name}_epochs"].sum(axis=1) for name in SEARCHES]
        for one, source in (("random", BERGSTRA), ("halving", JAMIESON)):
            ours, grid = a["chosen"][:, names[one]], a["chosen"][:, names["grid"]]
            yield Example("grid search", beyond(
                f"test accuracy of the choice, {one} minus 95 % of grid", paired_difference(ours, NEAR * grid, shared=SHARED),
                above=0, kind="own", source=source,
                told=f"{paired_difference(ours, NEAR * grid, shared=SHARED)}: {told(ours, SHARED)}, {told(grid, SHARED)}",
            ))  # fmt: skip
            until, of_grid = (np.where(np.isnan(epochs[:, k]), whole[k], epochs[:, k]) for k in (names[one], 0))
            yield Example("grid search", beyond(
                f"epochs until 95 % of the best is seen, or all, {one} minus grid", paired_difference(until, of_grid), below=0,
                kind="own", source=source, told=f"{mean(until - of_grid)}: {mean(until)}, {mean(of_grid)}",
            ))  # fmt: skip
        n, k = self.tried, near_best.sum(axis=1)
        first = np.where(k, fits[:, 1] / self.folds, n + 1)
        spread = np.sqrt((k * (n + 1) * (n - k) / ((k + 1) ** 2 * (k + 2))).sum()) / len(k)
        yield Example("none", near(
            "settings until random search sees 95 % of the best of all three", float(((n + 1) / (k + 1)).mean()),
            float(first.mean()), 1.96 * float(spread), kind="closed_form",
            source="k good ones of n in random order: (n + 1)/(k + 1), n + 1 for none; 1.96 standard errors",
        ))  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        fits, epochs, _ = self.reached(a)
        scores = {name: (self.folds * a[f"{name}_epochs"].cumsum(axis=1), a[f"{name}_score"]) for name in SEARCHES}
        return {"tuning": searches(scores, fits, epochs, a["chosen"], SHARED)}


def best(a: Arrays) -> np.ndarray:
    """The best score of all searches, (seeds, 1)."""
    return np.max([a[f"{name}_score"].max(axis=1) for name in SEARCHES], axis=0)[:, None]


def mean(values: np.ndarray) -> str:
    """The mean with its interval."""
    found = mean_and_interval(values)
    known = np.isfinite(found["low"])
    return f"{found['mean']:.3g} " + (f"[{found['low']:.3g}, {found['high']:.3g}]" if known else "[-]")


if __name__ == "__main__":
    script(Tuning.name)
