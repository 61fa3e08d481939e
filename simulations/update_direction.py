"""Does what plasticity changes point where the gradient does?

A spiking network learns `cued_digits` from reward (`plasticity.learners.SpikingBrainProp`). After so many trials, what a block of
training trials changes at the weights that it has then stands beside minus the gradient of the same network on the same trials,
from its twin in PyTorch by a surrogate gradient through time (`bridges.credit`): the cosine between both in each layer, along the
own training of each of six ways to give credit.

    attention_gated     feedback of the chosen action, by weights that learn
    mirrored_feedback   the same by the forward weights themselves
    random_feedback     the same by weights that are random and stay
    shuffled_feedback   feedback of an action drawn at random
    reward_only         the same feedback for all: presynaptic x postsynaptic x (reward - prediction)
    hebbian             no feedback and no reward: presynaptic x postsynaptic

The gradient is that of the chosen action's squared error (reward - predicted)^2/2; that of the squared error of all actions,
which only a teacher knows, is in the numbers. Chance is the cosine with the entries of the change permuted. The gate has two
numbers that are free, so that its cosine is near 1 or -1 by chance as well. Where it is fully open nothing moves it, and there is
no cosine.

Sources: Pozzi, Bohte & Roelfsema 2020, NeurIPS 33; Lillicrap et al. 2016, doi:10.1038/ncomms13276 (random feedback).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from plasticity.settings import setting
from plasticity.statistics import SHARE, mean_and_interval, paired_difference
from simulations.figures.credit import directions
from simulations.frame.checks import Check, beyond
from simulations.frame.credit import BRAINPROP, PASSES, TEST, TRAIN, right, spiking, trials_of
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

LILLICRAP = "Lillicrap et al. 2016, doi:10.1038/ncomms13276"
RULES: dict[str, dict[str, Any]] = {
    "attention_gated": {},
    "mirrored_feedback": {"feedback": "mirrored"},
    "random_feedback": {"feedback": "fixed"},
    "shuffled_feedback": {"feedback": "shuffled"},
    "reward_only": {"feedback": "uniform"},
    "hebbian": {"feedback": "uniform", "reward": "constant"},
}
LAYERS = ("hidden", "output", "gate")
WITHIN = (-1.0, 1.0)


@dataclass(frozen=True)
class UpdateDirection(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "update_direction"
    summary: ClassVar[str] = "what attention-gated plasticity changes, against the gradient of the same spiking network"
    source: ClassVar[str] = f"{BRAINPROP}; {LILLICRAP}"
    default_seeds: ClassVar[int] = 5
    part_of: ClassVar[str] = "credit_assignment"
    time_share: ClassVar[float] = 2.0
    time_step: ClassVar[str] = "None of its own: that of the spiking learner is a setting of this learner; its twin has the same."
    uses: ClassVar[tuple[str, ...]] = ("attention_gated", "lif_subtractive")
    measures: ClassVar[tuple[Measure, ...]] = tuple(
        Measure(
            f"{layer}_{rule}", "", f"cosine of change and gradient, {layer} weights, after training began: {rule}", within=WITHIN
        )
        for layer in LAYERS[:2]
        for rule in RULES
    )

    passes: int = PASSES
    train: int = TRAIN
    test: int = TEST
    block: int = setting(120, "training trials of which change and gradient are taken", "trials", low=10, high=10_000)
    looks: tuple[float, ...] = setting(
        (0.0, 0.04, 0.125, 0.25, 0.5, 1.0), "when that is, in order, as shares of the training", low=0, high=1
    )

    def run(self, seed: int) -> Arrays:
        """cosine, permuted (rules, losses, looks, layers), accuracy (rules, looks) on test trials, presentations (looks,)."""
        from bridges.credit import LOSSES, change, cosine, course, downhill

        draw, rng = trials_of(seed, self.train, self.test), np.random.default_rng([seed, 1])
        X, y = draw.train.X, draw.train.y
        block = X[: self.block], y[: self.block]
        cosines, permuted = np.empty((2, len(RULES), len(LOSSES), len(self.looks), len(LAYERS)))
        accuracy, at = np.empty((len(RULES), len(self.looks))), np.empty(len(self.looks))
        for rule, changed in enumerate(RULES.values()):
            learner, look = spiking(seed, self.passes, **changed).untrained(X, y), 0
            for done in course(learner, X, y, self.passes, seed):
                while look < len(self.looks) and done >= self.looks[look] * self.passes * len(X):
                    ours, theirs = change(learner, *block), downhill(learner, *block)
                    for loss, name in enumerate(LOSSES):
                        for layer, (a, b) in enumerate(zip(ours, theirs[name], strict=True)):
                            cosines[rule, loss, look, layer] = cosine(a, b)
                            permuted[rule, loss, look, layer] = cosine(rng.permutation(a.ravel()).reshape(a.shape), b)
                    accuracy[rule, look], at[look] = right(learner, draw.test), done
                    look += 1
        told = {"accuracy": accuracy, "presentations": at, "shared": np.array(draw.shared)}
        return {"cosine": cosines, "permuted": permuted, **told}

    def after(self, a: Arrays, what: str = "cosine") -> np.ndarray:
        """The mean over looks after training began that have a cosine, (seeds, rules, losses, layers)."""
        found = a[what][:, :, :, np.array(self.looks) > 0]
        return np.ma.masked_invalid(found).mean(axis=3).filled(np.nan)

    def numbers(self, a: Arrays) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for k, layer in enumerate(LAYERS):
            for r, rule in enumerate(RULES):
                told[f"{layer}_{rule}"] = mean_and_interval(self.after(a)[:, r, 0, k], within=WITHIN)
                told[f"{layer}_{rule}, all actions"] = mean_and_interval(self.after(a)[:, r, 1, k], within=WITHIN)
            told[f"{layer}_attention_gated, permuted"] = mean_and_interval(self.after(a, "permuted")[:, 0, 0, k], within=WITHIN)
        for r, rule in enumerate(RULES):
            told[f"accuracy_{rule}"] = mean_and_interval(a["accuracy"][:, r, -1], float(a["shared"].mean()), SHARE)
        return told

    def checks(self, a: Arrays) -> Iterable[Check]:
        found, rules = self.after(a)[:, :, 0], list(RULES)
        told: dict[str, Any] = {"kind": "own", "source": "control: another feedback, along its own training"}
        for k, layer in enumerate(LAYERS[:2]):
            yield beyond(
                f"cosine of change and gradient, {layer} weights: attention_gated above permuted",
                paired_difference(found[:, 0, k], self.after(a, "permuted")[:, 0, 0, k]), above=0, kind="own",
                source="chance: the entries of the change permuted",
            )  # fmt: skip
        for rule in rules[2:]:
            difference = paired_difference(found[:, 0, 0], found[:, rules.index(rule), 0])
            yield beyond(f"the same, hidden weights: attention_gated above {rule}", difference, above=0, **told)
        random = a["cosine"][:, rules.index("random_feedback"), 0, :, 0]
        yield beyond(
            "random_feedback, hidden weights: the cosine rises, from before training to its end",
            paired_difference(random[:, -1], random[:, 0]), above=0, kind="paper", source=f"{LILLICRAP}: feedback alignment",
        )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        found = a["cosine"][:, :, 0], a["permuted"][:, 0, 0], a["accuracy"], float(a["shared"].mean())
        return {"directions": directions(a["presentations"][0], list(RULES), LAYERS, *found)}


if __name__ == "__main__":
    script(UpdateDirection.name)
