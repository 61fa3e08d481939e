"""Digits with few connections, trained by gradient: rewired by DEEP R, fixed at random, or the same number in a smaller network.

A network 784-300-100-10 of rectified units has a share p of its connections alive; the shares of its layers are as 1 : 3 : 30,
as in the authors' example, as far as a layer has so many. It is trained by plain stochastic gradient descent.

    deep_r   a connection whose weight would change its sign dies, and another one of its layer comes alive (Bellec et al. 2018;
             the law of `plasticity.structure.deep_r` on `bridges.sparse`)
    set      at the end of each epoch the weakest 30 % die, and as many others come alive (Mocanu et al. 2018)
    fixed    those alive at first, drawn at random, stay
    smaller  a network of one hidden layer without silent connections, as near to as many parameters as it can be, biases counted
    linear   no hidden layer (once, for all p)
    dense    all are alive (once, for all p)

`smaller` and `linear` learn at `plain_rate`. How many connections of `deep_r` are alive is counted after
each update. Validation images choose nothing: numbers are the test accuracy after the last epoch. The learning rate falls by a
fifth an epoch; it and the sizes are the authors' for MNIST, as are penalty and noise. The law is asked at every `steps`-th
gradient step, for all of them, not at each as there; in between a weight that would change its sign is 0.

What it says of the 8x8 scans: at 1 % DEEP R is .054 [.019, .089] above fixed connections, at 3 and 30 % five seeds show no
difference, and at 1 and 3 % an ordinary small network, even a linear one, is far above both: 64 inputs leave too few connections
for three layers. On MNIST (two seeds) DEEP R
has 94.8 % with 1 % alive, 97.5 with 3 and 97.9 with 30; fixed connections 91.0, 96.3 and 97.9; a smaller network 86.3, 94.5 and
97.9. Two seeds tell DEEP R from fixed connections at 1 % alone. Rates of learning were not searched for.

Sources: Bellec, Kappel, Maass & Legenstein 2018, arXiv:1711.05136; Mocanu et al. 2018, doi:10.1038/s41467-018-04316-3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from plasticity import datasets
from plasticity.errors import WrongUse
from plasticity.parallel import each
from plasticity.settings import setting
from plasticity.statistics import mean_and_interval, paired_difference
from simulations.figures import BLACK, BLUE, GREEN, ORANGE, PURPLE, VERMILION, over_seeds
from simulations.figures.kinds import band, level, log_x, means, page, panel
from simulations.frame.checks import Check, beyond, near, within
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session, Table, stack
from simulations.frame.shown import told

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

BELLEC = "Bellec et al. 2018, arXiv:1711.05136"
SOURCE = f"{BELLEC}; Mocanu et al. 2018, doi:10.1038/s41467-018-04316-3"
OWN = "statement of this simulation"
LOOKS: dict[str, dict[str, Any]] = {
    "deep_r": {"color": BLUE, "linestyle": "-", "marker": "o"},
    "set": {"color": GREEN, "linestyle": "-.", "marker": "^"},
    "fixed": {"color": ORANGE, "linestyle": "--", "marker": "s"},
    "smaller": {"color": VERMILION, "linestyle": ":", "marker": "D"},
    "linear": {"color": PURPLE, "linestyle": "-.", "marker": "v"},
    "dense": {"color": BLACK, "linestyle": "-", "marker": "P"},
}
CONDITIONS = tuple(LOOKS)
ONCE = ("linear", "dense")  # the same for all shares
LAYERS = (300, 100)
PROPORTIONS = (1.0, 3.0, 30.0)
GIVEN = {0.03: 0.955}  # the accuracy that is asked for at a share


@dataclass(frozen=True)
class SparseDigits(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "sparse_digits"
    summary: ClassVar[str] = "digits by gradient with few connections: DEEP R against fixed ones and a smaller network"
    source: ClassVar[str] = SOURCE
    default_seeds: ClassVar[int] = 5
    compiled: ClassVar[bool] = False
    own_process: ClassVar[bool] = True
    uses: ClassVar[tuple[str, ...]] = ("deep_r", "sparse_evolution")
    time_step: ClassVar[str] = "Nothing in it goes on in time: it is trained by steps of the gradient."
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("deep_r", "", "test accuracy of DEEP R at the last share", ("results", {"condition": "deep_r"}, "accuracy")),
        Measure("fixed", "", "the same with connections that stay", ("results", {"condition": "fixed"}, "accuracy")),
    )

    data: str = setting("digits", "images: scikit-learn's 8x8 scans, or MNIST 28x28", choices=("digits", "mnist"))
    shares: tuple[float, ...] = setting((0.01, 0.03, 0.3), "shares of the connections that are alive, rising", above=0, high=1)
    conditions: tuple[str, ...] = setting(CONDITIONS, "what is compared", choices=CONDITIONS)
    epochs: int = setting(10, "how often the training images are shown", low=1, high=1000)
    batch: int = setting(10, "images of a gradient step", low=1, high=10_000)
    learning_rate: float = setting(0.5, "of the first epoch", above=0, high=10)
    plain_rate: float = setting(0.1, "the same of smaller and linear networks", above=0, high=10)
    steps: int = setting(10, "gradient steps from one update of DEEP R to the next", low=1, high=100_000)
    test: float = setting(0.25, "share of the images that is test where the data set has none of its own", above=0, below=1)

    def refuse(self) -> None:
        if not self.shares or (np.diff(self.shares) <= 0).any():
            raise WrongUse(f"shares={self.shares} must rise, for example --set shares=0.01,0.03,0.3.")
        if not self.conditions or len(set(self.conditions)) < len(self.conditions):
            raise WrongUse(f"conditions={self.conditions} must name each once; known: {', '.join(CONDITIONS)}.")

    def images(self, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Training images and labels, test images and labels; where there is no test set apart, drawn by the seed."""
        known: Any = datasets.images(self.data, "")
        pixels = known.pixels.reshape(len(known.labels), -1).astype(np.float32) / known.brightest
        if known.test_from is not None:
            parts = np.split(np.arange(len(pixels)), [known.test_from])
        else:
            parts = np.split(np.random.default_rng([seed, 3]).permutation(len(pixels)), [round((1 - self.test) * len(pixels))])
        return pixels[parts[0]], known.labels[parts[0]], pixels[parts[1]], known.labels[parts[1]]

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """`accuracy`, `alive`, `turnover` (conditions, shares, seeds, epochs), `range` (..., 2): least and most alive."""
        from bridges.sparse_training import one  # not above: torch takes seconds

        shares = range(len(self.shares))
        todo = [(c, k if c not in ONCE else 0, s) for c in self.conditions for k in shares for s in session.seeds]
        found = dict(each(partial(one, self), sorted(set(todo)), session.jobs, session.progress, cost=_cost, processes=True))
        return stack([found[run] for run in todo], len(self.conditions), len(self.shares), len(session.seeds))

    def sizes(self, features: int, share: float) -> tuple[list[tuple[int, int]], list[float]]:
        """(in, out) of each layer, and the share of its connections that is alive."""
        widths = (features, *LAYERS, 10)
        layers = list(zip(widths, widths[1:], strict=False))
        sizes, wanted = np.array([a * b for a, b in layers], dtype=float), share * sum(a * b for a, b in layers)
        base = wanted / float(sizes @ PROPORTIONS)
        for _ in range(len(sizes)):  # what a full layer cannot take the others do
            full = base * np.array(PROPORTIONS) >= 1
            if full.all():
                break
            base = (wanted - sizes[full].sum()) / max(float((sizes * PROPORTIONS)[~full].sum()), 1e-9)
        return layers, np.minimum(base * np.array(PROPORTIONS), 1.0).tolist()

    def numbers(self, a: Arrays) -> dict[str, Any]:
        rows = []
        for c, condition in enumerate(self.conditions):
            for k, share in enumerate(self.shares if condition not in ONCE else (1.0,)):
                row = {
                    "condition": condition,
                    "share": share,
                    "accuracy": mean_and_interval(a["accuracy"][c, k, :, -1], within=(0, 1)),
                }
                row |= {"alive": float(a["alive"][c, k, :, -1].mean()), "replaced": float(a["turnover"][c, k].sum(axis=1).mean())}
                rows.append(row)
        return {"results": rows}

    @classmethod
    def tables(cls, numbers: Mapping[str, Any]) -> dict[str, Table]:
        heads = ["connections", "share", "test accuracy", "weights alive", "came alive while training"]
        rows = [
            [
                row["condition"],
                f"{row['share']:g}",
                told(row["accuracy"], 4) or "",
                f"{row['alive']:,.0f}",
                f"{row['replaced']:,.0f}",
            ]
            for row in numbers["results"]
        ]
        return {"accuracy with few connections, means over seeds [95 % interval]": (heads, rows)}

    def checks(self, a: Arrays) -> Iterable[Check]:
        last = dict(zip(self.conditions, a["accuracy"][..., -1], strict=True))
        if "deep_r" not in last:
            return
        c = self.conditions.index("deep_r")
        apart = np.abs(a["range"][c] - a["alive"][c][..., :1]).max()
        yield near("deep_r: largest change of the number alive in any step", 0.0, float(apart), 0.0, kind="paper", source=BELLEC)
        for share, least in GIVEN.items() if self.data == "mnist" and self.epochs >= 10 else ():
            if share in self.shares:
                ours = float(last["deep_r"][self.shares.index(share)].mean())
                yield within(f"deep_r, {share:.0%} alive: test accuracy", ours, low=least, kind="paper", source=BELLEC)
        for k, share in enumerate(self.shares if self.data == "mnist" else ()):
            for other in ("fixed", "smaller"):
                if other in last:
                    yield beyond(
                        f"{share:.0%} alive: deep_r minus {other}", paired_difference(last["deep_r"][k], last[other][k]), above=0,
                        kind="own", source=OWN,
                    )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        seeds, x = a["accuracy"].shape[2], 100 * np.array(self.shares)
        sparse = [c for c, name in enumerate(self.conditions) if name not in ONCE]
        lines = [
            level(100 * float(a["accuracy"][c, 0, :, -1].mean()), linewidth=0.8, color=LOOKS[name]["color"])
            for c, name in enumerate(self.conditions) if name in ONCE
        ]  # fmt: skip
        by_share = panel(
            *(
                means(x, 100 * a["accuracy"][c, :, :, -1].T, label=self.conditions[c], **LOOKS[self.conditions[c]])
                for c in sparse
            ),
            *lines,
            level(10, color="0.6", linestyle=":", linewidth=0.8),
            then=log_x(x, [f"{100 * share:g}" for share in self.shares]),
            x="connections alive (%)", y="test accuracy (%)", title="lines: dense, linear; dotted: chance",
            legend="lower right", ylim=(0, 100),
        )  # fmt: skip
        epochs = np.arange(1, self.epochs + 1)
        k = len(self.shares) // 2
        course = panel(
            *(band(epochs, 100 * a["accuracy"][c, k], label=name, **LOOKS[name]) for c, name in enumerate(self.conditions)),
            x="epoch", y="test accuracy (%)", title=f"{self.shares[k]:.0%} alive", ylim=(0, 100),
        )  # fmt: skip
        turned = [c for c, name in enumerate(self.conditions) if name in ("deep_r", "set")]
        turnover = panel(
            *(
                band(epochs, 100 * a["turnover"][c, k] / a["alive"][c, k], label=self.conditions[c], **LOOKS[self.conditions[c]])
                for c in turned
            ), x="epoch", y="replaced in an epoch (% of those alive)", title="turnover", ylim=(0, None),
        )  # fmt: skip
        return {"accuracy": page([by_share, course, turnover], size=(11.4, 3.6), caption=over_seeds(seeds))}


def _cost(item: tuple[str, int, int]) -> float:
    return 1.0 if item[0] in ("fixed", "smaller", "dense") else 1.5


if __name__ == "__main__":
    script(SparseDigits.name)
