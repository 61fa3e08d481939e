"""What attention-gated plasticity and backprop have in common beyond accuracy: representation, speed, robustness, forgetting.

A spiking network that learns `cued_digits` from reward (`plasticity.learners.SpikingBrainProp`) and the same network of rectified
units trained by gradient (the model `relu_backprop`), on the same trials of each seed, as many presentations. Backprop is told
the label of each trial, works in batches and keeps the weights that did best on validation trials; plasticity hears whether it
was right, learns from one trial at a time and ends with its last weights. Backprop comes with dropout and weight decay, as the
model does best, and plain without, as plasticity has neither.

    representation   linear centred kernel alignment (debiased) of hidden layers on test trials; 0: trials permuted. An open
                     gate alone makes hidden layers alike: what learning adds is what is above the network with its weights
                     as at the start, behind the gate as it ends
    presentations    training trials, repeats counted, until validation trials are answered to 90, 95, 97 %
    noise            normal noise on test images, within 0 to 1
    deletion         a share of the synapses of one layer deleted after training
    wrong labels     a share of training trials with another label, which is the reward of plasticity; the same each time
    two tasks        digits 0 to 4 are learnt first, then 5 to 9 alone

Sources: Kornblith et al. 2019, arXiv:1905.00414 (centred kernel alignment); McCloskey & Cohen 1989,
doi:10.1016/S0079-7421(08)60536-8 (forgetting).
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from plasticity.learners import SpikingBrainProp
from plasticity.settings import setting
from plasticity.statistics import AMOUNT, SHARE, mean_and_interval, paired_difference
from simulations.figures import credit
from simulations.frame.checks import Check, beyond
from simulations.frame.credit import BRAINPROP, PASSES, SMALL, TEST, TRAIN, right, spiking, trials_of
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

KORNBLITH = "Kornblith et al. 2019, arXiv:1905.00414"
FORGETTING = "McCloskey & Cohen 1989, doi:10.1016/S0079-7421(08)60536-8"
SIDES = ("plasticity", "backprop", "plain_backprop")
LEVELS = (0.9, 0.95, 0.97)
SECOND = 5  # this digit and those above it are learnt second
BOTH, GATE_ALONE = "plasticity and backprop", "plasticity before learning, its gate as it ends, and backprop"
PAIRS = {
    BOTH: (0, 1),
    GATE_ALONE: (6, 1),
    "plasticity before learning and backprop": (4, 1),
    "both before learning": (4, 5),
    "plasticity, two starts": (0, 2),
    "backprop, two starts": (1, 3),
}


def noisy(X: np.ndarray, sd: float, rng: np.random.Generator) -> np.ndarray:
    """Images with normal noise, within 0 to 1; the cue, two columns, stays."""
    return np.hstack([np.clip(X[:, :-2] + sd * rng.standard_normal(X[:, :-2].shape), 0, 1), X[:, -2:]])


def mislabelled(y: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Labels of which that share is another digit."""
    return np.where(rng.random(len(y)) < share, (y + rng.integers(1, 10, len(y))) % 10, y)


def reached(curve: np.ndarray) -> np.ndarray:
    """Presentations until each of `LEVELS`, (levels,), of a curve (2, points): presentations, accuracy; nan where never."""
    held = [curve[0, curve[1] >= level] for level in LEVELS]
    return np.array([found[0] if len(found) else np.nan for found in held])


def made(side: str, seed: int, passes: int) -> Any:
    """One of `SIDES`, not yet trained; backprop is not stopped before all passes are done."""
    from bridges.learners import LEARNERS

    if side == "plasticity":
        return spiking(seed, passes)
    plain = {"dropout": 0.0, "weight_decay": 0.0} if side == "plain_backprop" else {}
    given = {"streams": 2, "random_state": seed, "hidden": SMALL["hidden"][0], "epochs": passes, "patience": passes, **plain}
    return LEARNERS["relu_backprop"].build().set_params(**given)


def behind_gate_of(learnt: SpikingBrainProp, untrained: SpikingBrainProp) -> SpikingBrainProp:
    """The weights of the one that has not learnt, behind the gate of the one that has."""
    made = copy.copy(untrained)
    made.gate_weights_ = learnt.gate_weights_
    return made


@dataclass(frozen=True)
class BesideBackprop(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "beside_backprop"
    summary: ClassVar[str] = (
        "plasticity beside backprop: representation, presentations, noise, deleted synapses, labels, forgetting"
    )
    source: ClassVar[str] = f"{BRAINPROP}; {KORNBLITH}; {FORGETTING}"
    default_seeds: ClassVar[int] = 5
    own_process: ClassVar[bool] = True
    part_of: ClassVar[str] = "credit_assignment"
    time_step: ClassVar[str] = "None of its own: that of the spiking learner is a setting of this learner."
    uses: ClassVar[tuple[str, ...]] = ("attention_gated", "lif_subtractive")
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("cka", "", "centred kernel alignment of plasticity and backprop", (f"cka, {BOTH}",)),
        Measure("cka_above_gate", "", "the same above that of weights before learning behind the gate as it ends"),
        *(Measure(f"accuracy_{side}", "", f"share of test trials answered rightly: {side}", within=SHARE) for side in SIDES),
        *(Measure(f"kept_{side}", "", f"share of digits 0 to 4 after 5 to 9: {side}", within=SHARE) for side in SIDES),
    )

    passes: int = PASSES
    train: int = TRAIN
    test: int = TEST
    noises: tuple[float, ...] = setting((0.0, 0.1, 0.2, 0.3, 0.4, 0.5), "noise on images: standard deviation", low=0, high=10)
    deletions: tuple[float, ...] = setting((0.0, 0.1, 0.2, 0.3, 0.4, 0.5), "share of synapses deleted", low=0, high=1)
    wrong: tuple[float, ...] = setting((0.0, 0.1, 0.2, 0.4), "share of wrong labels in training", low=0, high=1)

    def run(self, seed: int) -> Arrays:
        """What one seed gives.

        cka (pairs,), curve_SIDE (2, points: presentations, accuracy), noise and wrong (sides, levels), deleted (sides, layers,
        shares), turns (sides, after, of): the last four are shares of test trials.
        """
        from bridges.comparison.measures import cka
        from bridges.credit import deleted

        draw = trials_of(seed, self.train, self.test)
        test, first = draw.test, draw.test.y < SECOND
        curve: list[tuple[int, float]] = []
        learnt = [self.taught(side, seed, draw, curve) for side in SIDES]
        others = [self.taught(side, seed + 1000, draw) for side in SIDES[:2]]
        untrained = [made(side, seed, self.passes).untrained(draw.train.X, draw.train.y) for side in SIDES]
        alone = behind_gate_of(learnt[0], untrained[0])
        shown = [one.represent(test.X) for one in (*learnt[:2], *others, *untrained[:2], alone)]
        found = {"cka": np.array([cka(shown[k], shown[m]) for k, m in PAIRS.values()]), "curve_plasticity": np.array(curve).T}
        for name, one in zip(SIDES[1:], learnt[1:], strict=True):
            found[f"curve_{name}"] = np.array([one.history_["trials"], one.history_["accuracy"]])
        images = [noisy(test.X, sd, np.random.default_rng([seed, 2, k])) for k, sd in enumerate(self.noises)]
        found["noise"] = np.array([[right(one, test, X) for X in images] for one in learnt])
        found["deleted"] = np.empty((3, 2, len(self.deletions)))
        for side, layer, k in np.ndindex(3, 2, len(self.deletions)):
            with deleted(learnt[side], layer, self.deletions[k], np.random.default_rng([seed, 3, layer, k])):
                found["deleted"][side, layer, k] = right(learnt[side], test)
        found["wrong"] = np.array([
            [right(self.taught(name, seed, draw, share=share) if share else one, test) for share in self.wrong]
            for name, one in zip(SIDES, learnt, strict=True)
        ])  # fmt: skip
        found["turns"] = np.empty((3, 2, 2))
        for side, learner in enumerate(untrained):
            for turn, chosen in enumerate((draw.train.y < SECOND, draw.train.y >= SECOND)):
                self.learn(learner, draw.train.take(chosen), seed)
                found["turns"][side, turn] = [right(learner, test.take(part)) for part in (first, ~first)]
        return found | {"shared": np.array(draw.shared)}

    def learn(self, learner: Any, trials: Any, seed: int) -> None:
        """Go on from the weights as they are."""
        from bridges.credit import by_gradient, course

        if isinstance(learner, SpikingBrainProp):
            list(course(learner, trials.X, trials.y, self.passes, seed))
        else:
            by_gradient(learner, trials.X, trials.y, self.passes, seed)

    def taught(self, side: str, seed: int, draw: Any, curve: list[tuple[int, float]] | None = None, share: float = 0.0) -> Any:
        """Trained from the start; of the training and validation labels that share is wrong. Plasticity tells its curve."""
        from bridges.credit import course

        rng, X = np.random.default_rng([seed, 4, int(1e6 * share)]), draw.train.X
        y, probe = mislabelled(draw.train.y, share, rng), mislabelled(draw.validation.y, share, rng)
        learner = made(side, seed, self.passes)
        if side != "plasticity":
            return learner.fit(X, y, probe=(draw.validation.X, probe))
        for done in course(learner.untrained(X, y), X, y, self.passes, seed):
            if curve is not None:
                curve.append((done, right(learner, draw.validation)))
        return learner

    def numbers(self, a: Arrays) -> dict[str, Any]:
        def told(values: np.ndarray) -> dict[str, float]:
            return mean_and_interval(values, float(a["shared"].mean()), SHARE)

        found: dict[str, Any] = {
            f"cka, {pair}": mean_and_interval(a["cka"][:, k], within=(-1, 1)) for k, pair in enumerate(PAIRS)
        }
        found["cka_above_gate"] = mean_and_interval(np.subtract(*self.alignment(a)))
        for k, side in enumerate(SIDES):
            presentations = np.array([reached(curve) for curve in a[f"curve_{side}"]])
            for level, values in zip(LEVELS, presentations.T, strict=True):
                found[f"presentations to {level:.0%}, {side}"] = mean_and_interval(values, within=AMOUNT)
                found[f"seeds that reach {level:.0%}, {side}"] = int(np.isfinite(values).sum())
            found[f"accuracy_{side}"] = told(a["noise"][:, k, 0])
            found[f"kept_{side}"], found[f"learnt_first_{side}"] = told(a["turns"][:, k, 1, 0]), told(a["turns"][:, k, 0, 0])
            found[f"noise {self.noises[-1]:g}, {side}"] = told(a["noise"][:, k, -1])
            for layer, name in enumerate(credit.DELETED):
                found[f"{self.deletions[-1]:.0%} deleted, {name}, {side}"] = told(a["deleted"][:, k, layer, -1])
            found[f"{self.wrong[-1]:.0%} wrong labels, {side}"] = told(a["wrong"][:, k, -1])
        return found

    def alignment(self, a: Arrays) -> tuple[np.ndarray, np.ndarray]:
        """Of plasticity with backprop, and what its gate alone gives, (seeds,) each."""
        both, gate = (a["cka"][:, list(PAIRS).index(name)] for name in (BOTH, GATE_ALONE))
        return both, gate

    def checks(self, a: Arrays) -> Iterable[Check]:
        yield beyond(
            "alignment with backprop: above that of hidden weights before learning behind the gate as it ends",
            paired_difference(*self.alignment(a)), above=0, kind="own", source="control: the gate alone",
        )  # fmt: skip
        for k, side in enumerate(SIDES):
            lost = paired_difference(a["turns"][:, k, 1, 0], a["turns"][:, k, 0, 0])
            yield beyond(f"{side} forgets digits 0 to 4 while it learns 5 to 9", lost, below=0, kind="paper", source=FORGETTING)

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        curves, shared = {side: a[f"curve_{side}"] for side in SIDES}, float(a["shared"].mean())
        return {
            "representation": credit.likeness(list(PAIRS), a["cka"]),
            "presentations": credit.presentations(
                curves, {side: np.array([reached(c) for c in of]) for side, of in curves.items()}, LEVELS
            ),
            "noise": credit.against("noise on test images (standard deviation)", self.noises, a["noise"], shared),
            "deletion": credit.deletion(self.deletions, a["deleted"], shared),
            "wrong_labels": credit.against("wrong labels in training (%)", 100 * np.array(self.wrong), a["wrong"], shared),
            "two_tasks": credit.turns(a["turns"]),
        }


if __name__ == "__main__":
    script(BesideBackprop.name)
