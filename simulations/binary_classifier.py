"""A classifier of 100 rows of 10 numbers into two classes: learning, overfitting and cheating side by side.

A text prints about 91 % right on labels that are random. On rows that were not trained on nobody can be right in more than half
of them; what such a number shows is that the network has learnt its rows by heart, or has seen what it was to tell. Five kinds
of labels and features, on the same rows:

    random           labels drawn by a coin: right in training, at chance on held-out rows (overfitting)
    rule             labels by a linear rule of the features (learning)
    label_leaked     random labels, and the label stands among the features in the last column (cheating)
    chosen_on_all    random labels; the 10 features are those of `wide` random ones that correlate most with the labels of all
                     rows, held-out ones too (cheating that is often done unawares)
    chosen_in_train  the same choice by training rows alone: at chance again

Rows are split, and scaled by training rows alone, by the task `table`; both sides get them alike. One side is a network with one
hidden layer, of rectifiers or sigmoids, with cross-entropy or squared error, by gradient descent with derivatives by hand
(`bridges.worked.one_layer`; autograd gives the same). A single unit without hidden layer is beside it: ten weights and a bias
cannot learn so many random labels by heart. The other side is a spiking network that learns by a local rule and hears only
whether it was right (`plasticity.learners.SpikingBrainProp`, on and off cells). Recall and F1 of class 1 are scikit-learn's.

Intervals are over seeds, of `draws` sets of rows each, all drawn anew. Steps and passes were chosen on draws of seed 1000.

Sources: Zhang et al. 2017, arXiv:1611.03530 (random labels); Ambroise & McLachlan 2002, doi:10.1073/pnas.102102699 (features
chosen before the split); Cover 1965, doi:10.1109/PGEC.1965.264137 (one unit); Rumelhart, Hinton & Williams 1986,
doi:10.1038/323533a0 (derivatives).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from scipy.stats import binom, norm
from sklearn.metrics import accuracy_score, f1_score, recall_score
from sklearn.preprocessing import StandardScaler

from plasticity import tasks
from plasticity.settings import setting
from plasticity.statistics import SHARE
from simulations.figures.worked import classifiers
from simulations.frame.checks import beyond, near, within
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Measure
from simulations.frame.worked import Example, Worked, share, spiking, told

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

ZHANG = "Zhang et al. 2017, arXiv:1611.03530"
AMBROISE = "Ambroise & McLachlan 2002, doi:10.1073/pnas.102102699"
COVER = "Cover 1965, doi:10.1109/PGEC.1965.264137"
RUMELHART = "Rumelhart, Hinton & Williams 1986, doi:10.1038/323533a0"
KINDS = ("random", "rule", "label_leaked", "chosen_on_all", "chosen_in_train")
SIDES = ("gradient", "spiking")
SCORES = ("training", "held_out", "recall", "f1")
FORMS = {  # units and loss: length of a step
    ("relu", "cross_entropy"): 0.5,
    ("relu", "squared_error"): 3.0,
    ("sigmoid", "cross_entropy"): 3.0,
    ("sigmoid", "squared_error"): 10.0,
    ("none", "cross_entropy"): 0.5,
}
ROWS, COLUMNS, PRINTED = 100, 10, 0.91
TRAIN, HELD = 68, 30  # rows of a set; two are for validation, which nothing needs
LOOKS = np.unique(np.geomspace(1, 400, 20).astype(int)) - 1  # steps at which the loss is looked at


class Rows(NamedTuple):
    """Training and held-out rows, scaled by training rows alone, their labels, and which rows of the set they are."""

    train: np.ndarray
    y: np.ndarray
    test: np.ndarray
    held: np.ndarray
    which: tuple[np.ndarray, np.ndarray]


def split(X: np.ndarray, y: np.ndarray, seed: Any) -> Rows:
    """All columns, split by the task `table`."""
    drawn = tasks.table(X, y, test=0.3, validation=0.01).draw(np.random.default_rng(seed))
    return Rows(drawn.train.X, drawn.train.y, drawn.test.X, drawn.test.y, (drawn.train.image[:, 0], drawn.test.image[:, 0]))


def rows_of(kind: str, seed: int, draw: int, wide: int) -> Rows:
    """One set of rows of a kind, split."""
    rng = np.random.default_rng([seed, draw])
    X, y = rng.normal(5, 3, (ROWS, COLUMNS)), rng.integers(2, size=ROWS)
    if kind == "rule":
        y = ((X - 5) @ rng.normal(size=COLUMNS) > 0).astype(int)
    if kind == "label_leaked":
        X = np.column_stack([X[:, :-1], y])
    if not kind.startswith("chosen"):
        return split(X, y, [seed, draw, 1])
    X = rng.normal(size=(ROWS, wide))
    rows = split(X, y, [seed, draw, 1])
    known = np.arange(ROWS) if kind == "chosen_on_all" else rows.which[0]
    centred, answers = X[known] - X[known].mean(axis=0), y[known] - y[known].mean()
    chosen = np.argsort(np.abs(answers @ centred) / np.linalg.norm(centred, axis=0))[-COLUMNS:]
    return rows._replace(train=rows.train[:, chosen], test=rows.test[:, chosen])


def scored(train: np.ndarray, answers: np.ndarray, rows: Rows) -> list[float]:
    """`SCORES` of answers to training and to held-out rows."""
    y = rows.held
    return [
        float(accuracy_score(rows.y, train)), float(accuracy_score(y, answers)),
        float(recall_score(y, answers, zero_division=0)), float(f1_score(y, answers, zero_division=0)),
    ]  # fmt: skip


@dataclass(frozen=True)
class BinaryClassifier(Worked):
    __doc__ = __doc__

    name: ClassVar[str] = "binary_classifier"
    summary: ClassVar[str] = "100 x 10 numbers into two classes: random labels, a rule, leaks; training against held-out rows"
    source: ClassVar[str] = f"{ZHANG}; {AMBROISE}; {COVER}; {RUMELHART}"
    time_step: ClassVar[str] = "None of its own: that of the spiking learner is a setting of this learner."
    uses: ClassVar[tuple[str, ...]] = ("attention_gated", "lif_subtractive")
    measures: ClassVar[tuple[Measure, ...]] = tuple(
        Measure(f"{score}_{kind}_{side}", "", f"{score} accuracy, {kind}, {side}", within=SHARE)
        for kind in KINDS for side in SIDES for score in SCORES[:2]
    )  # fmt: skip

    draws: int = setting(4, "sets of rows of each seed", low=1, high=1000)
    hidden_units: int = setting(32, "units of the hidden layer that is trained by gradient", low=1, high=1000)
    steps: int = setting(400, "steps of gradient descent, on all rows at once", low=400, high=100_000)
    shown: int = setting(60, "how often the spiking network is shown its training rows", low=1, high=10_000)
    wide: int = setting(1000, "random features of which 10 are chosen", low=10, high=100_000)

    def run(self, seed: int) -> Arrays:
        """What one seed gives, means over draws.

        scores (kinds, sides, scores), forms (forms, random or rule, training or held-out), losses (kinds, training or held-out,
        looks), derivatives: the largest relative difference by hand and by autograd.
        """
        found = [self.one(seed, draw) for draw in range(self.draws)]
        return {name: np.mean([one[name] for one in found], axis=0) for name in found[0]}

    def one(self, seed: int, draw: int) -> dict[str, np.ndarray]:
        """The same of one set of rows."""
        from bridges.worked import one_layer

        scores, losses = np.empty((len(KINDS), 2, len(SCORES))), np.empty((len(KINDS), 2, len(LOOKS) + 1))
        forms, apart = np.empty((len(FORMS), 2, 2)), 0.0
        for k, kind in enumerate(KINDS):
            rows = rows_of(kind, seed, draw, self.wide)
            normal = StandardScaler().fit(rows.train)
            train, test = normal.transform(rows.train), normal.transform(rows.test)
            for f, ((unit, loss), eta) in enumerate(FORMS.items()):
                if f and k > 1:
                    continue
                w = one_layer.start(COLUMNS, self.hidden_units, unit, np.random.default_rng([seed, draw, 2]))
                ours, theirs = (way(w, train, rows.y, unit, loss)[1] for way in (one_layer.by_hand, one_layer.by_autograd))
                largest = max(float(np.abs(theirs[n]).max()) for n in w)
                apart = max(apart, *(float(np.abs(ours[n] - theirs[n]).max()) / largest for n in w))
                course = one_layer.descend(w, train, rows.y, unit, loss, eta, self.steps, LOOKS)
                answers = [one_layer.probability(course[-1], X, unit) > 0.5 for X in (train, test)]
                if f == 0:
                    scores[k, 0] = scored(answers[0], answers[1], rows)
                    for part, (X, y) in enumerate(((train, rows.y), (test, rows.held))):
                        losses[k, part] = [one_layer.by_hand(now, X, y, unit, loss)[0] for now in course]
                if k < 2:
                    forms[f, k] = scored(answers[0], answers[1], rows)[:2]
            order = np.random.default_rng([seed, draw, 3]).permutation(np.tile(np.arange(len(rows.y)), self.shown))
            learner = spiking(draw + self.draws * seed, (40,), cells="on_off", block=1000)
            learner.fit(rows.train[order], rows.y[order])
            scores[k, 1] = scored(learner.predict(rows.train), learner.predict(rows.test), rows)
        return {"scores": scores, "forms": forms, "losses": losses, "derivatives": np.array(apart)}

    def found(self, a: Arrays) -> dict[str, Any]:
        told = {
            f"{score}_{kind}_{side}": share(a["scores"][:, k, s, n])
            for k, kind in enumerate(KINDS) for s, side in enumerate(SIDES) for n, score in enumerate(SCORES)
        }  # fmt: skip
        for f, (unit, loss) in enumerate(FORMS):
            for k, kind in enumerate(KINDS[:2]):
                for n, score in enumerate(SCORES[:2]):
                    told[f"{score}, {kind}, {unit} units, {loss}"] = share(a["forms"][:, f, k, n])
        return told

    def examples(self, a: Arrays) -> Iterable[Example]:
        yield Example("derivatives by hand", near(
            "one layer: largest relative difference of derivatives by hand and by autograd, all units and losses", 0.0,
            float(a["derivatives"].max()), ROWS * np.finfo(float).eps, kind="closed_form",
            source=f"the chain rule, {RUMELHART}; PyTorch's autograd; rounding of a sum over rows",
        ))  # fmt: skip
        coin, forms = "the label is a coin that no row tells", a["forms"]
        held, answers = float(binom.sf(np.ceil(PRINTED * HELD) - 1, HELD, 0.5)), len(forms) * self.draws * HELD
        chance = norm.isf(0.05 / 8) * 0.5 / np.sqrt(answers)  # two-sided, 5 % for all four checks together
        told_by_all = float(1 - binom.cdf(COLUMNS - 1, TRAIN - 1, 0.5) / binom.cdf(COLUMNS, TRAIN - 1, 0.5))
        for s, side in enumerate(SIDES):
            scores = a["scores"][:, :, s]
            yield Example("about 91 %", near(
                f"random labels, held-out rows, {side}", 0.5, float(scores[:, 0, 1].mean()), chance, kind="closed_form",
                source=f"{coin}, of {answers} rows: 91 % of {HELD} such rows have p = {held:.0e}",
            ))  # fmt: skip
            yield Example("about 91 %", beyond(
                f"random labels, training rows, {side}", scores[:, 0, 0], above=PRINTED, kind="paper",
                published="learnt by heart: above the printed 0.91", source=f"{ZHANG}: networks fit random labels",
            ))  # fmt: skip
            yield Example("none", beyond(
                f"labels by a rule, held-out rows, {side}", scores[:, 1, 1], above=round(told_by_all, 3), kind="own",
                source=f"control: where all planes that separate {TRAIN} rows agree on another one; {COVER}",
            ))  # fmt: skip
            yield Example("none", within(
                f"the label among the features, held-out rows, {side}", float(scores[:, 2, 1].mean()), 0.99,
                published="1: it is read",
                told=told(scores[:, 2, 1]), kind="own", source="control: the last column is the answer",
            ))  # fmt: skip
            yield Example("none", beyond(
                f"features chosen on all rows, random labels, held-out rows, {side}", scores[:, 3, 1], above=0.5, kind="paper",
                published="above chance, though there is nothing to learn", source=AMBROISE,
            ))  # fmt: skip
            yield Example("none", near(
                f"features chosen on training rows, random labels, held-out rows, {side}", 0.5, float(scores[:, 4, 1].mean()),
                chance, kind="closed_form", source=f"{coin}, of {answers} rows",
            ))  # fmt: skip
        alone = forms[:, list(FORMS).index(("none", "cross_entropy")), 0, 0]
        fitted = (COLUMNS + 1) / TRAIN
        right = float(norm.cdf(np.sqrt(fitted / (1 - fitted))))
        yield Example("about 91 % with one layer", near(
            "random labels, training rows, one unit without hidden layer", right, float(alone.mean()),
            1.96 * np.sqrt(right * (1 - right) / (len(forms) * self.draws * TRAIN)), kind="closed_form",
            source=f"least squares fits the share h = 11/{TRAIN} of coins: right in Phi(sqrt(h/(1 - h))); 1.96 standard errors",
        ))  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        return {"binary_classifier": classifiers(KINDS, SIDES, a["scores"], LOOKS, a["losses"], PRINTED)}


if __name__ == "__main__":
    script(BinaryClassifier.name)
