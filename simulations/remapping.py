"""A neuron loses its input, and a neighbouring one takes it over: by weights, by new synapses, with and without attention.

The network is that of `attention_structure` (plasticity.networks.two_groups): two groups of Poisson inputs on one neuron,
pair STDP with soft bounds, synapses that come alive at a steady rate and die the sooner the weaker they are (the law
`contacts`). The neuron begins with many strong synapses of its own input (group 1) and few weak ones of its neighbour (group
0). After `before_s` the own input falls silent for good, as after the loss of a finger or of a patch of retina. From then on
attention may multiply the rates of the neighbour by `gain`.

    both parts       weights learn, and synapses come and go
    weights alone    no synapse comes or goes
    structure alone  no weight changes
    no loss          both parts, and the own input stays

All conditions of a seed go on from one state, that of both parts at the moment of the loss. What is told is the drive of a
group, the sum of its living weights, as a share of what the own input had before the loss. At the loss the neighbour has .39
[.29, .50] of it already, in one seed .66: "half of it after so many seconds" is 0 for those that have half, and the whole run
for those that never do, and tells less than the rise does. With both parts the drive is the product of how many synapses live
and of their mean weight, so that the logarithm of its rise is the sum of a structural and of a functional part.

What it says. After a loss the neighbour takes over, for its spikes alone predict those of the neuron now (Song & Abbott 2001,
doi:10.1016/S0896-6273(01)00451-2: remapping after a lesion). Attention on it makes that faster, by how much is uncertain: 1.4
to 5.5 times by the time to half. But so strong a gain takes the neuron over without any loss as well: beside attention the
loss itself adds little. Weights alone end where the synapses that are there are strong, with attention sooner, and without it
new synapses add nothing that ten seeds could show; they carry the neighbour beyond where it is attended. Structure alone
loses ground: its draws do not see the spikes, and new synapses are weak. Reorganisation after a lesion in cortex: Merzenich
et al. 1984, doi:10.1002/cne.902240408; by new synapses: Keck et al. 2008, doi:10.1038/nn.2181. Minutes stand for days and
weeks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import ms, second

from plasticity.engine import Program
from plasticity.networks.two_groups import GROUPS, TwoGroups
from plasticity.parallel import Progress
from plasticity.rules import Landing, pair_stdp
from plasticity.settings import setting
from plasticity.statistics import mean_and_interval, paired_difference
from plasticity.structure import Structure, contacts
from plasticity.structure.record import living
from simulations.figures import BLUE, GREEN, ORANGE, VERMILION, over_seeds
from simulations.figures.kinds import band, columns, level, moment, page, panel
from simulations.frame.checks import Check, beyond, near
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session, Table, stack
from simulations.frame.shown import told

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

SONG = "Song & Abbott 2001, doi:10.1016/S0896-6273(01)00451-2"
OWN = "statement of this simulation"
LOOKS: dict[str, dict[str, Any]] = {
    "both parts": {"color": BLUE, "linestyle": "-"},
    "weights alone": {"color": ORANGE, "linestyle": "--"},
    "structure alone": {"color": GREEN, "linestyle": "-."},
    "no loss": {"color": VERMILION, "linestyle": ":"},
}
CONDITIONS = tuple(LOOKS)
LATE_S = 60  # what "at the end" and "before the loss" mean


@dataclass(frozen=True)
class Remapping(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "remapping"
    summary: ClassVar[str] = "a neuron that lost its input is taken over by a neighbouring one, by weights and by new synapses"
    source: ClassVar[str] = f"{SONG}; Merzenich et al. 1984, doi:10.1002/cne.902240408; Keck et al. 2008, doi:10.1038/nn.2181"
    default_seeds: ClassVar[int] = 10
    uses: ClassVar[tuple[str, ...]] = ("contacts", "pair_stdp")
    short: ClassVar[Mapping[str, Any]] = {"before_s": 30, "after_s": 60, "inputs": 20}
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("taken_over", "", "drive of the neighbour at the end, both parts, attention", ("results", 1, "share")),
        Measure("without_attention", "", "the same without attention", ("results", 0, "share")),
    )

    inputs: int = setting(100, "inputs in each of the two groups", low=5, high=1000)
    gain: float = setting(2.0, "what attention multiplies the neighbour's rates by after the loss", low=1, high=10)
    before_s: int = setting(600, "simulated time with the own input", "s", low=20, high=5000)
    after_s: int = setting(900, "simulated time without it", "s", low=20, high=5000)
    base_hz: float = setting(15.0, "mean rate of every input at gain 1", "Hz", low=0, high=100)
    correlation: float = setting(0.6, "fluctuation that a group's rates have in common, as a share of the rate", low=0, high=1)
    A_plus: float = setting(0.01, "largest potentiation by one pair", low=0, high=1)
    alpha: float = setting(1.05, "A_minus/A_plus", low=0, high=10)
    mu: float = setting(0.02, "exponent of the soft bounds", above=0, high=1)
    creation_hz: float = setting(0.007, "rate at which a silent synapse comes alive", "Hz", above=0, high=1)
    deletion_hz: float = setting(0.05, "rate at which a synapse of weight 0 dies", "Hz", above=0, high=10)
    w_hold: float = setting(0.25, "weight at which that rate is 1/e of it", above=0, high=10)
    w_new: float = setting(0.3, "weight of a new synapse", low=0, high=1)
    dt_ms: float = setting(0.5, "time step", "ms", low=0.01, high=2)

    @property
    def total_s(self) -> int:
        return self.before_s + self.after_s

    def network(self) -> TwoGroups:
        """What is compiled: the same for every condition and seed."""
        rule = pair_stdp(A_plus=self.A_plus, A_minus=self.alpha * self.A_plus)
        pool = Structure(contacts, every=1 * second, growth="growth_pre", survival="survival_pre")
        return TwoGroups(
            self.inputs,
            rule=rule,
            landing=Landing(mu=self.mu),
            pool=pool,
            epochs=2 * max(self.before_s, self.after_s),
            dt=self.dt_ms * ms,
        )

    def run_inputs(self, condition: str, gain: float, seed: int, lost: bool) -> dict[str, Any]:
        """The inputs of one part of a run; which synapses live at first is drawn by the seed alone."""
        n, own = GROUPS * self.inputs, np.arange(GROUPS * self.inputs) >= self.inputs
        gains = np.ones((self.network().epochs, GROUPS))
        if lost:
            gains[:, 0] = gain
            gains[:, 1] = float(condition == "no loss")
        comes = float(condition != "weights alone")
        law = {"creation": comes * self.creation_hz, "deletion": comes * self.deletion_hz}
        law |= {"w_hold": self.w_hold, "w_new": self.w_new}
        return {f"law.{name}": value for name, value in law.items()} | {
            "gain": gains, "fluctuation": gains, "learning": np.full(n, float(condition != "structure alone")),
            "alive": np.random.default_rng([seed, 2]).random(n) < np.where(own, 0.8, 0.3), "w": np.where(own, 0.9, 0.1),
            "growth": np.ones(n), "survival": np.ones(n), "key": 2 * seed + lost, "base": self.base_hz,
            "correlation": self.correlation, "tau_c": 0.01, "g_max": 0.008, "g_background": 0.0128,
        }  # fmt: skip

    def part(self, found: Mapping[str, np.ndarray], given: Mapping[str, Any], seconds: int) -> dict[str, np.ndarray]:
        """`living` and `drive` (groups, seconds) of one part."""
        alive = living(given["alive"], found["update"], found["synapse"], seconds)
        weights = np.where(alive, found["w_history"].reshape(-1, GROUPS * self.inputs)[:seconds], 0.0)
        shape = seconds, GROUPS, self.inputs
        return {"living": alive.reshape(shape).sum(axis=2).T, "drive": weights.reshape(shape).sum(axis=2).T}

    def one(self, program: Program, seed: int, progress: Progress) -> dict[str, np.ndarray]:
        """All of a seed, (conditions, without and with attention, groups, seconds): one beginning, from which all go on."""
        given = self.run_inputs("both parts", 1.0, seed, lost=False)
        first = program.run(seed, given, duration=self.before_s * second)
        before = self.part(first, given, self.before_s)
        rows, runs = [], [(c, g) for c in CONDITIONS for g in (1.0, self.gain)]
        for number, (condition, gain) in enumerate(runs):
            then = self.run_inputs(condition, gain, seed, lost=True) | {"w": first["w"], "alive": first["alive"].astype(bool)}
            found = program.run(seed + 2**20, then, duration=self.after_s * second)
            after = self.part(found, then, self.after_s)
            rows.append({name: np.concatenate([before[name], after[name]], axis=-1) for name in before})
            progress((number + 1) / len(runs))
        return stack(rows, len(CONDITIONS), 2)

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """`living` and `drive`, (conditions, without and with attention, seeds, groups, seconds)."""
        program = self.network().program()
        found = dict(session.each(lambda seed, tell: self.one(program, seed, tell), session.seeds))
        return {name: np.moveaxis(array, 0, 2) for name, array in stack([found[seed] for seed in session.seeds]).items()}

    def taken_over(self, a: Arrays) -> np.ndarray:
        """The drive of the neighbour as a share of that of the own input before the loss, (conditions, 2, seeds, seconds)."""
        late = slice(max(self.before_s - LATE_S, 0), self.before_s)
        return a["drive"][:, :, :, 0] / a["drive"][:, :, :, 1, late].mean(axis=-1, keepdims=True)

    def parts(self, a: Arrays) -> np.ndarray:
        """The log2 of the rise of the neighbour's living synapses, and of their mean weight, (2, conditions, 2, seeds)."""
        ends = [slice(max(end - LATE_S, 0), end) for end in (self.before_s, self.total_s)]
        living, drive = (np.stack([a[key][:, :, :, 0, end].mean(axis=-1) for end in ends]) for key in ("living", "drive"))
        rises = np.log2(living[1] / living[0]), np.log2(drive[1] / drive[0])
        return np.stack([rises[0], np.round(rises[1] - rises[0], 12)])  # 0 where no weight changes

    def half(self, a: Arrays) -> np.ndarray:
        """Seconds after the loss until the neighbour has half the drive that the own input had; all of them where never."""
        reached = self.taken_over(a)[..., self.before_s :] >= 0.5
        return np.where(reached.any(axis=-1), reached.argmax(axis=-1), self.after_s)

    def numbers(self, a: Arrays) -> dict[str, Any]:
        late, half, parts = self.taken_over(a)[..., -LATE_S:].mean(axis=-1), self.half(a), self.parts(a)
        rows = []
        for c, condition in enumerate(CONDITIONS):
            for g, gain in enumerate((1.0, self.gain)):
                rows.append(
                    {
                        "condition": condition, "gain": gain, "share": mean_and_interval(late[c, g]),
                        "half_s": mean_and_interval(half[c, g]), "reached_half": float((half[c, g] < self.after_s).mean()),
                        "structural": mean_and_interval(parts[0, c, g]), "functional": mean_and_interval(parts[1, c, g]),
                    }
                )  # fmt: skip
        return {"results": rows}

    @classmethod
    def tables(cls, numbers: Mapping[str, Any]) -> dict[str, Table]:
        heads = ["condition", "gain", "taken over", "half after (s)", "runs that reach it", "log2 rise: synapses", "weight"]
        rows = [
            [
                row["condition"], f"{row['gain']:g}", told(row["share"], 3) or "", told(row["half_s"], 3) or "",
                f"{row['reached_half']:.0%}", told(row["structural"], 2) or "", told(row["functional"], 2) or "",
            ]
            for row in numbers["results"]
        ]  # fmt: skip
        title = "drive of the neighbour at the end, as a share of the own input's before, means over seeds [95 % interval]"
        return {title: (heads, rows)}

    def checks(self, a: Arrays) -> Iterable[Check]:
        late = dict(zip(CONDITIONS, self.taken_over(a)[..., -LATE_S:].mean(axis=-1), strict=True))
        half = self.half(a)[0]
        both = late["both parts"]
        pairs: tuple[tuple[str, np.ndarray, np.ndarray, str], ...] = (
            ("without attention: a loss lets the neighbour rise, both parts minus no loss", both[0], late["no loss"][0], SONG),
            ("with attention: a loss lets the neighbour rise, both parts minus no loss", both[1], late["no loss"][1], SONG),
            ("both parts: with attention on the neighbour minus without", both[1], both[0], OWN),
            ("with attention: both parts minus weights alone", both[1], late["weights alone"][1], OWN),
            ("with attention: both parts minus structure alone", both[1], late["structure alone"][1], OWN),
        )
        for name, more, less, source in pairs:
            kind = "paper" if source == SONG else "own"
            yield beyond(f"{name}, share taken over", paired_difference(more, less), above=0, kind=kind, source=source)
        yield beyond(
            "both parts: time to half the drive, without attention minus with (s)", paired_difference(half[0], half[1]), above=0,
            kind="own", source=f"{OWN}; runs that never reach it count as {self.after_s} s",
        )  # fmt: skip
        structure = self.taken_over(a)[CONDITIONS.index("structure alone")]
        yield near(
            "structure alone: largest difference that attention makes", 0.0, float(np.abs(np.diff(structure, axis=0)).max()), 0.0,
            kind="closed_form", source="the law sees weights, and no spikes",
        )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        seeds, time = a["drive"].shape[2], np.arange(self.total_s)
        share = 100 * self.taken_over(a)
        most = float(np.ceil(share.mean(axis=2).max() / 20) * 20 + 20)
        courses = [
            panel(
                *(band(time, share[c, g], label=name, **LOOKS[name]) for c, name in enumerate(CONDITIONS)),
                moment(self.before_s, color="0.5", linestyle=":"),
                x="time (s)", y="drive of the neighbour (% of own input's)", title=title, ylim=(0, most),
                legend="upper right" if not g else None,
            )
            for g, title in enumerate(("without attention", f"neighbour attended, gain {self.gain:g}"))
        ]  # fmt: skip
        parts = self.parts(a)[:, 0]  # (2, without and with attention, seeds)
        decomposed = panel(
            columns(
                ["synapses", "weights", "synapses,\nattended", "weights,\nattended"],
                [row for part in parts.swapaxes(0, 1) for row in part],
                [GREEN, ORANGE, GREEN, ORANGE], markers="oo^^",
            ),
            level(0, linewidth=0.8, color="0.5"), y="rise, log2", title="both parts: what the rise is made of",
        )  # fmt: skip
        return {
            "time_course": page(
                [*courses, decomposed], size=(11.6, 3.8), caption=f"{over_seeds(seeds)}; dotted: the own input is lost"
            )
        }


if __name__ == "__main__":
    script(Remapping.name)
