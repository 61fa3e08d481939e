"""Does this need attention? A gate that is learned, on trials of which only some gain by attending.

A trial shows a digit and a cue that says in which of two places it stands. In a share of the trials (`crowded`) another digit
stands in the other place. Attention weighs the places, the cued one 1 and the other one 0, and has a price; without it both are
passed on as they are, one upon the other. Where nothing else is there the two are the same, and attention does not pay.

A logistic gate looks at what is seen without attention, 64 intensities, and decides. Both sides get the same trials:

    torch   a reader and the gate trained by gradient: the gate by that of the expected reward, for which the reader has to say
            what both ways would bring (`bridges.worked.optional_attention`)
    local   a spiking reader that hears only whether it was right (Brian2), and a gate that tries: its change is presynaptic
            activity x (action - its chance) x (reward - mean reward), reward being 1 for a right answer minus the price if
            attended (Williams 1992)

Beside them are attention always and never, a gate that knows which trials are crowded, and one that opens as often as the learned
one, at random. Another control is a threshold on the brightness, the mean of the intensities: crowded trials are brighter, and
one number may do what 64 weights learn. It is set on the gate's trials, where it brings most. Readers, gates and tests have
images apart. Rates of learning were chosen on the draw of seed 1000.

Sources: Bengio et al. 2015, arXiv:1511.06297 (conditional computation); Williams 1992, doi:10.1007/BF00992696 (learning from
reward by what was tried).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from scipy.special import expit

from plasticity.datasets import DATASETS
from plasticity.settings import setting
from plasticity.statistics import APART, SHARE, interval, mean_and_interval, paired_difference
from simulations.figures.worked import gates
from simulations.frame import shown
from simulations.frame.checks import beyond
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Measure, Table
from simulations.frame.worked import ON_DIGITS, Example, Worked, share, spiking

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

BENGIO = "Bengio et al. 2015, arXiv:1511.06297"
WILLIAMS = "Williams 1992, doi:10.1007/BF00992696"
SIDES = ("torch", "local")
GATES = ("learned", "always", "never", "knowing", "random", "brightness")
CONTROLS = {
    "always": "attention always",
    "never": "attention never",
    "random": "attention as often at random",
    "brightness": "a threshold on the brightness",
}
IMAGES = {"reader": 800, "gate": 500, "test": 497}
SHARED = 497 / 1300  # each seed splits the same scans anew: see `plasticity.statistics.interval`
ETA, FOLLOWS = 0.05, 0.02  # of the gate that learns from reward; of its mean reward


class Seen(NamedTuple):
    """Trials: with attention and without (trials, 64), the digit asked for, whether another one is there."""

    attended: np.ndarray
    passed: np.ndarray
    y: np.ndarray
    crowded: np.ndarray


def trials(seed: int, number: int, crowded: float) -> dict[str, Seen]:
    """For reader, gate and test, from images apart."""
    scans, rng = DATASETS["digits"](), np.random.default_rng([seed, 11])
    images, labels = scans.pixels.reshape(len(scans.labels), -1) / scans.pixels.max(), scans.labels
    parts = np.split(rng.permutation(len(labels)), np.cumsum([*IMAGES.values()])[:-1])
    found = {}
    for name, part in zip(IMAGES, parts, strict=True):
        shown, other = rng.choice(part, number), rng.choice(part, number)
        full = rng.random(number) < crowded
        found[name] = Seen(images[shown], np.clip(images[shown] + full[:, None] * images[other], 0, 1), labels[shown], full)
    return found


def gate_by_reward(X: np.ndarray, attended: np.ndarray, passed: np.ndarray, price: float, passes: int, seed: int) -> np.ndarray:
    """w and, last, b of a gate that tries, trial by trial; attended, passed: whether the answer is right with and without."""
    rng, inputs = np.random.default_rng([seed, 12]), np.column_stack([X, np.ones(len(X))])
    w, expected = np.zeros(inputs.shape[1]), 0.0
    for _ in range(passes):
        for trial in rng.permutation(len(X)):
            chance = expit(inputs[trial] @ w)
            opened = rng.random() < chance
            reward = attended[trial] - price if opened else passed[trial]
            w += ETA * (reward - expected) * (opened - chance) * inputs[trial]
            expected += FOLLOWS * (reward - expected)
    return w


def brightest(light: np.ndarray, gain: np.ndarray, price: float) -> float:
    """The brightness from which on attention brings the most on these trials; infinite where it brings less than it costs."""
    order = np.argsort(-light)
    brings = np.cumsum(gain[order] - price)
    return float(light[order[brings.argmax()]]) if brings.max() > 0 else np.inf


@dataclass(frozen=True)
class NeedsAttention(Worked):
    __doc__ = __doc__

    name: ClassVar[str] = "needs_attention"
    summary: ClassVar[str] = "a learned gate that asks whether an input needs attention, where it pays for some alone, at a price"
    source: ClassVar[str] = f"{BENGIO}; {WILLIAMS}"
    own_process: ClassVar[bool] = True
    time_step: ClassVar[str] = "None of its own: that of the spiking reader is a setting of this learner."
    uses: ClassVar[tuple[str, ...]] = ("attention_gated", "lif_subtractive")
    measures: ClassVar[tuple[Measure, ...]] = tuple(
        Measure(f"{what}_{side}", "", f"{told} at `price`, {side}", within=SHARE)
        for side in SIDES
        for what, told in (("gated", "share of test trials that the learned gate attends"), ("accuracy", "accuracy with it"))
    )

    number: int = setting(1200, "trials for the reader, for the gate, and for the test, each", "trials", low=50, high=100_000)
    crowded: float = setting(0.5, "share of trials with another digit", low=0, high=1)
    price: float = setting(0.1, "what attention costs in a trial; a right answer is worth 1", low=0, high=10)
    prices: tuple[float, ...] = setting((0.0, 0.1, 0.2, 0.4, 0.7, 1.0), "prices at which gates are learned", low=0, high=10)
    gate_passes: int = setting(8, "how often the local gate is shown its trials", low=1, high=1000)
    reader_passes: int = setting(8, "how often the spiking reader is shown its trials", low=1, high=1000)

    def run(self, seed: int) -> Arrays:
        """right, gated, of_crowded, how much more often crowded trials are attended (sides, gates, prices and `price`)."""
        from bridges.learners import LEARNERS
        from bridges.worked.optional_attention import gate_by_gradient

        seen = trials(seed, self.number, self.crowded)
        X, y = (
            np.concatenate([getattr(seen["reader"], name) for name in names]) for names in (("attended", "passed"), ("y", "y"))
        )
        mean, spread = seen["reader"].passed.mean(axis=0), float(seen["reader"].passed.std(axis=0).mean())
        looks = {name: (part.passed - mean) / spread for name, part in seen.items()}
        torch = LEARNERS["mlp"].build().set_params(streams=1, random_state=seed, hidden=64, epochs=12).fit(X, y)
        order = np.random.default_rng([seed, 13]).permutation(len(X))
        local = spiking(seed, passes=self.reader_passes, **ON_DIGITS).fit(X[order], y[order])
        prices = [*self.prices, self.price]
        right, gated, of_crowded = (np.empty((2, len(GATES), len(prices))) for _ in range(3))
        test, light = seen["test"], {name: part.passed.mean(axis=1) for name, part in seen.items()}
        for s, reader in enumerate((torch, local)):
            brings = {name: [reader.predict(X) == part.y for X in (part.attended, part.passed)] for name, part in seen.items()}
            with_it, without = (one.astype(float) for one in brings["gate"])
            gain = with_it - without
            if s == 0:
                chance = [torch.predict_proba(X)[np.arange(self.number), seen["gate"].y] for X in seen["gate"][:2]]
                gain = chance[0] - chance[1]
            for k, price in enumerate(prices):
                if s == 0:
                    w = gate_by_gradient(looks["gate"], gain, price, seed)
                else:
                    w = gate_by_reward(looks["gate"], with_it, without, price, self.gate_passes, seed)
                opened = looks["test"] @ w[:-1] + w[-1] > 0
                shut = np.zeros(len(opened), dtype=bool)
                bright = light["test"] >= brightest(light["gate"], gain, price)
                for gate, choice in (
                    ("learned", opened), ("always", ~shut), ("never", shut), ("knowing", test.crowded), ("brightness", bright)
                ):  # fmt: skip
                    at = s, GATES.index(gate), k
                    right[at] = float(np.mean(np.where(choice, brings["test"][0], brings["test"][1])))
                    gated[at] = choice.mean()
                    of_crowded[at] = known(choice, test.crowded) - known(choice, ~test.crowded)
                gated[s, 4, k], of_crowded[s, 4, k] = opened.mean(), 0.0
                right[s, 4, k] = opened.mean() * right[s, 1, k] + (1 - opened.mean()) * right[s, 2, k]
        return {"right": right, "gated": gated, "of_crowded": of_crowded}

    def reward(self, a: Arrays) -> np.ndarray:
        """Right answers minus what attention cost, (seeds, sides, gates, prices and `price`)."""
        return a["right"] - np.array([*self.prices, self.price]) * a["gated"]

    def found(self, a: Arrays) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for s, side in enumerate(SIDES):
            found[f"gated_{side}"], found[f"accuracy_{side}"] = (
                share(a["gated"][:, s, 0, -1], SHARED),
                share(a["right"][:, s, 0, -1], SHARED),
            )
            for g, gate in enumerate(GATES):
                found[f"right, {gate}, {side}"] = share(a["right"][:, s, g, -1], SHARED)
                found[f"attended, {gate}, {side}"] = share(a["gated"][:, s, g, -1], SHARED)
                found[f"right minus price, {gate}, {side}"] = share(self.reward(a)[:, s, g, -1], SHARED)
                found[f"attended, crowded minus others, {gate}, {side}"] = mean_and_interval(
                    a["of_crowded"][:, s, g, -1], SHARED, APART
                )
                gate_itself = 64 if gate == "learned" else 0  # two places of 64 intensities are weighed, a brightness is a sum
                found[f"products in a trial, {gate}, {side}"] = float(gate_itself + 128 * a["gated"][:, s, g, -1].mean())
        return found

    def examples(self, a: Arrays) -> Iterable[Example]:
        reward, asks = self.reward(a), "asks whether attention is needed"
        for s, side in enumerate(SIDES):
            for gate, control in CONTROLS.items():
                difference = paired_difference(reward[:, s, 0, -1], reward[:, s, GATES.index(gate), -1], shared=SHARED)
                name = f"right minus price, the learned gate above {control}, {side}"
                yield Example(
                    asks, beyond(name, difference, above=0, kind="own", source="control: the same reader without that gate")
                )
            yield Example(asks, beyond(
                f"right answers, always minus the learned gate, {side}",
                paired_difference(a["right"][:, s, 1, -1], a["right"][:, s, 0, -1], shared=SHARED), below=0.01, kind="own",
                source="statement of this project: a point at most is lost",
            ))  # fmt: skip
            if 1.0 in self.prices:
                dear = a["gated"][:, s, 0, self.prices.index(1.0)]
                yield Example("none", beyond(
                    f"attended at a price of 1, {side}", dear, below=0.01, bounds=interval(dear, shared=SHARED, within=SHARE),
                    kind="own", source="a point; 0 is right: reward 1 minus 1, against 0 or more",
                ))  # fmt: skip

    @classmethod
    def tables(cls, numbers: Mapping[str, Any]) -> dict[str, Table]:
        columns = ["side", "gate", "attended", "right", "right minus price", "products in a trial"]
        rows = [
            [side, gate, *(str(shown.told(numbers[f"{what}, {gate}, {side}"], 3)) for what in columns[2:])]
            for side in SIDES for gate in GATES if f"right, {gate}, {side}" in numbers
        ]  # fmt: skip
        return {**super().tables(numbers), **({"Gates, at `price`": (columns, rows)} if rows else {})}

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        kept = slice(len(self.prices))
        return {
            "needs_attention": gates(
                self.prices, SIDES, GATES, a["right"][..., kept], a["gated"][..., kept], self.reward(a)[..., kept], SHARED
            )
        }


def known(opened: np.ndarray, part: np.ndarray) -> float:
    """The share of these trials that is opened; 0 of none."""
    return float(opened[part].mean()) if part.any() else 0.0


if __name__ == "__main__":
    script(NeedsAttention.name)
