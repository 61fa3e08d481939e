"""Synapses that come and go hold the rates: two unconnected populations grow synapses until calcium is at its set points.

The network (plasticity.networks.growing) begins without any connection. Elements grow where a neuron's calcium is between 0 and
its set point, and are lost above it; once a second free ones are paired at random. Calcium, the average of a neuron's rate over
some 10 s, has the set point .05 for excitatory and .2 for inhibitory neurons, which are 5 and 20 Hz. After `before_s` the
background of all neurons, or of a share `hit` of them, falls to `left` of its rate for good.

With a twentieth of the background less calcium of E falls by a third; synapses grow, and in 200 s it is back (.051 [.046, .057]),
while their number still changes. A fifth less (`--set left=0.8`) is not made up for: the network is silent but for some bursts,
while it more than doubles its synapses, in all three seeds. Silence, where the curve is 0 as well, is not all that is wrong (one
seed each of what follows). With a lower end below 0, by which silent neurons grow (`eta=-0.2`), bursts
and silence take turns all the same, and after 600 s all fire as fast as they can. Where a fifth of the neurons lose all of it
(`left=0 hit=0.2`), the others come back to their set points, those stay silent; with `eta=-0.2` these come back half of the way
in 400 s, and then all run away. Our reading: what is lost has to come from the neurons' own spikes, and beyond a small part of
the input more spikes then make still more.

Growth is slow beside calcium only by a factor of some ten, so that rates overshoot at first, and synapses are pruned again.

Source: Butz & van Ooyen 2013, doi:10.1371/journal.pcbi.1003259; the numbers are those of NEST's public example (its neurons are
`iaf_psc_alpha` with that simulator's defaults). Loss of input there: a lesion of the retina; here a part of everybody's input.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import ms, second

from plasticity.engine import Program
from plasticity.networks.growing import SET_POINTS, Growing
from plasticity.parallel import Progress
from plasticity.settings import setting
from plasticity.statistics import mean_and_interval
from plasticity.structure.growth_curves import growth
from simulations.figures import BLUE, GREEN, ORANGE, PURPLE, VERMILION, over_seeds
from simulations.figures.kinds import band, level, line, matrix, moment, page, panel, steps_band
from simulations.frame.checks import Check, near, within
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session, stack

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

BUTZ = "Butz & van Ooyen 2013, doi:10.1371/journal.pcbi.1003259"
LATE_S = 20  # what "at the end" means
SHOWN = 100  # neurons of each population in the matrix of connections
DEGREES = np.arange(-0.5, 60.5)
KINDS = ("E to E", "E to I", "I to E", "I to I")
STROKES = ((BLUE, "-"), (GREEN, "--"), (VERMILION, "-."), (ORANGE, ":"))
LOOKS: dict[str, dict[str, Any]] = {
    kind: {"color": color, "linestyle": stroke} for kind, (color, stroke) in zip(KINDS, STROKES, strict=True)
}


@dataclass(frozen=True)
class StructuralHomeostasis(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "structural_homeostasis"
    summary: ClassVar[str] = "two populations without synapses connect themselves until their rates are at the set points"
    source: ClassVar[str] = BUTZ
    default_seeds: ClassVar[int] = 3
    uses: ClassVar[tuple[str, ...]] = ("growth_curves",)
    short: ClassVar[Mapping[str, Any]] = {"excitatory": 80, "inhibitory": 20, "before_s": 4, "after_s": 2}
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("calcium_E", "", "calcium of excitatory neurons, first part", ("before", "calcium_E"), scale=0.05),
        Measure("calcium_I", "", "calcium of inhibitory neurons, first part", ("before", "calcium_I"), scale=0.2),
        Measure("synapses", "", "living synapses, first part", ("before", "synapses"), scale=1000.0),
        Measure("calcium_E_after", "", "calcium of excitatory neurons at the end", ("after", "calcium_E"), scale=0.05),
    )

    excitatory: int = setting(800, "excitatory neurons", low=10, high=5000)
    inhibitory: int = setting(200, "inhibitory neurons", low=5, high=2000)
    before_s: int = setting(200, "simulated time with all the input", unit="s", low=2, high=2000)
    after_s: int = setting(200, "simulated time with a part of it", unit="s", low=2, high=2000)
    left: float = setting(0.95, "share of the background that is left then", low=0, high=1)
    hit: float = setting(1.0, "share of the neurons, of both populations, whose background it is", above=0, high=1)
    eta: float = setting(0.0, "lower end of the growth curve over the set point; below 0 silent neurons grow", low=-1, high=0.9)
    dt_ms: float = setting(0.1, "time step", "ms", low=0.01, high=1)

    @property
    def network(self) -> Growing:
        return Growing(self.excitatory, self.inhibitory, dt=self.dt_ms * ms)

    @property
    def bytes(self) -> float:
        return self.network.bytes

    @property
    def those(self) -> np.ndarray:
        """Who loses background, (neurons,): the first ones of both populations, for nobody has a place."""
        return np.concatenate([np.arange(many) < round(self.hit * many) for many in (self.excitatory, self.inhibitory)])

    def one(self, program: Program, seed: int, progress: Progress) -> dict[str, np.ndarray]:
        """One run: means of both populations at each second, synapses of each kind, degrees and matrix at both ends."""
        total, n = self.before_s + self.after_s, self.excitatory
        given: dict[str, Any] = {"neurons.until": float(self.before_s), "neurons.left": self.left, "neurons.eta": self.eta}
        given |= {"hit": self.those, "exciting_key": 2 * seed, "inhibiting_key": 2 * seed + 1}
        found = program.run(seed, given, duration=total * second, progress=progress)
        rates = np.diff(found["spikes"], axis=0)
        told = {
            "calcium_E": found["calcium"][:, :n].mean(axis=1), "calcium_I": found["calcium"][:, n:].mean(axis=1),
            "rate_E": rates[:, :n].mean(axis=1), "rate_I": rates[:, n:].mean(axis=1),
        }  # fmt: skip
        if self.hit < 1:
            told["calcium_hit"] = found["calcium"][:, :n][:, self.those[:n]].mean(axis=1)
        counts = np.zeros((4, total), dtype=np.int64)
        came, went = np.zeros((2, total), dtype=np.int64), np.zeros((2, total), dtype=np.int64)
        chosen = np.r_[: min(SHOWN, n), n : n + min(SHOWN, self.inhibitory)]
        shown = np.zeros((2, len(chosen), len(chosen)), dtype=np.int8)
        degrees = np.zeros((2, 2, len(DEGREES) - 1))
        incoming = np.zeros((2, 2, n + self.inhibitory), dtype=np.int64)
        for of, name in enumerate(("exciting", "inhibiting")):
            begin, end = self.network.pool(name)
            alive = np.zeros(len(begin), dtype=bool)
            for update in range(total):
                events = found[f"{name}_synapse"][found[f"{name}_update"] == update]
                alive[-events[events < 0] - 1], alive[events[events > 0] - 1] = False, True
                came[of, update], went[of, update] = (events > 0).sum(), (events < 0).sum()
                living = end[alive] < n
                counts[2 * of : 2 * of + 2, update] = living.sum(), (~living).sum()
                for part, last in enumerate((self.before_s - 1, total - 1)):
                    if update == last:
                        whole = np.zeros((n + self.inhibitory,) * 2, dtype=np.int8)
                        whole[end[alive], begin[alive]] = 1 - 2 * of
                        shown[part] += whole[np.ix_(chosen, chosen)]
                        incoming[part, of] = np.bincount(end[alive], minlength=n + self.inhibitory)
            np.testing.assert_array_equal(alive, found[f"{name}_alive"].astype(bool))
        for part in range(2):
            for population, those in enumerate((slice(0, n), slice(n, None))):
                degrees[part, population] = np.histogram(incoming[part].sum(axis=0)[those], DEGREES)[0]
        return told | {"synapses": counts, "came": came, "went": went, "matrix": shown, "degrees": degrees}

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """Arrays over seeds; the matrix of the first one alone."""
        program = self.network.program()

        def one(seed: int, tell: Progress) -> dict[str, np.ndarray]:
            return self.one(program, seed, lambda fraction: tell(0.98 * fraction))

        made = dict(session.each(one, session.seeds))
        first = made[session.seeds[0]]["matrix"]
        runs = [{name: array for name, array in made[seed].items() if name != "matrix"} for seed in session.seeds]
        return stack(runs) | {"matrix": first}

    @property
    def whose(self) -> str:
        return f" of {self.hit:.0%} of the neurons" if self.hit < 1 else ""

    def parts(self) -> dict[str, slice]:
        """The last seconds of both parts, as samples."""
        ends = {"before": self.before_s, "after": self.before_s + self.after_s}
        return {name: slice(max(end - min(LATE_S, self.before_s, self.after_s), 0), end) for name, end in ends.items()}

    def numbers(self, a: Arrays) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for name, late in self.parts().items():
            told[name] = {key: mean_and_interval(a[key][:, late].mean(axis=1)) for key in ("calcium_E", "calcium_I")}
            told[name] |= {key: mean_and_interval(a[key][:, late].mean(axis=1)) for key in ("rate_E", "rate_I")}
            told[name] |= {"synapses": mean_and_interval(a["synapses"][:, :, late].sum(axis=1).mean(axis=1))}
            told[name] |= {"turnover per s": mean_and_interval(self.turnover(a)[:, late].mean(axis=1))}
        return told

    def turnover(self, a: Arrays) -> np.ndarray:
        """The share of the living synapses that come or go in a second, halved, (seeds, seconds)."""
        changes = (a["came"] + a["went"]).sum(axis=1) / 2
        return changes / np.maximum(a["synapses"].sum(axis=1), 1)

    def checks(self, a: Arrays) -> Iterable[Check]:
        for part, late in self.parts().items():
            when = (
                f"after {self.before_s} s"
                if part == "before"
                else f"{self.after_s} s after a loss of {1 - self.left:.0%} of input{self.whose}"
            )
            for population, point in zip("EI", SET_POINTS, strict=True):
                ours = float(a[f"calcium_{population}"][:, late].mean())
                yield near(
                    f"{when}: calcium of {population}", point, ours, rel=0.1, kind="paper",
                    source=f"set point of the growth curve; {BUTZ}",
                )  # fmt: skip
            if self.hit < 1:
                ours = float(a["calcium_hit"][:, late].mean())
                yield near(
                    f"{when}: calcium of the excitatory neurons that lose it", SET_POINTS[0], ours, rel=0.1, kind="paper",
                    source=f"set point of the growth curve; {BUTZ}",
                )  # fmt: skip
            whole = a["synapses"][:, :, late].sum(axis=1)
            change = np.abs(whole[:, -1] - whole[:, 0]) / whole[:, -1]
            yield within(
                f"{when}: largest change of the number of synapses in {whole.shape[1]} s",
                float(change.max()), high=0.05, kind="paper", source=f"connectivity levels off; {BUTZ}",
            )  # fmt: skip
        for population, point in zip("EI", SET_POINTS, strict=True):
            ends = np.abs(growth([self.eta * point, point], 1.0, self.eta * point, point)).max()
            yield near(
                f"growth curve of {population} at both ends", 0.0, float(ends), tol=0.0, kind="closed_form",
                source=f"zero at eta and at eps; {BUTZ}",
            )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        seeds, total = len(a["calcium_E"]), self.before_s + self.after_s
        time, sizes = np.arange(total), a["matrix"].shape[1]
        falls = moment(self.before_s, color="0.5", linestyle=":")
        colours = {"E": BLUE, "I": VERMILION}
        calcium = [band(time, a[f"calcium_{name}"], color=colour, label=f"calcium of {name}") for name, colour in colours.items()]
        if self.hit < 1:
            calcium.append(band(time, a["calcium_hit"], color=GREEN, linestyle="-.", label="of E that lose it"))
        points = [
            level(point, color=colours[name], linestyle="--", linewidth=0.8) for name, point in zip("EI", SET_POINTS, strict=True)
        ]
        synapses = [band(time, a["synapses"][:, k], label=name, **LOOKS[name]) for k, name in enumerate(KINDS)]
        curve = np.linspace(0, 0.3, 301)
        curves = [
            line(
                curve,
                growth(curve, 1.0, self.eta * point, point),
                color=colours[name],
                linestyle="-" if name == "E" else "--",
                label=name,
            )
            for name, point in zip("EI", SET_POINTS, strict=True)
        ]
        looks: dict[str, Any] = {"vmin": -1, "vmax": 1, "cmap": "RdBu_r", "interpolation": "nearest"}
        names = f"after {self.before_s} s", f"after {total} s"
        halves = [
            panel(
                matrix(a["matrix"][k], **looks), x="from neuron", y="to neuron",
                title=f"{name} (first {min(SHOWN, self.excitatory)} of E, then {sizes - min(SHOWN, self.excitatory)} of I)",
            )
            for k, name in enumerate(names)
        ]  # fmt: skip
        degrees = [
            panel(
                *(
                    steps_band(a["degrees"][:, part, k] / a["degrees"][:, part, k].sum(axis=1, keepdims=True), DEGREES,
                               color=colour, label=name)
                    for k, (name, colour) in enumerate(colours.items())
                ), x="synapses onto a neuron", y="share of neurons", title=names[part], ylim=(0, None),
            )
            for part in range(2)
        ]  # fmt: skip
        loss = f"dotted: {1 - self.left:.0%} of the background{self.whose} is taken away"
        return {
            "time_course": page(
                [
                    panel(*calcium, *points, falls, x="time (s)", y="calcium", title="dashed: set points", legend="upper left",
                          ylim=(0, 1.6*max(SET_POINTS))),
                    panel(*synapses, falls, x="time (s)", y="living synapses", legend="upper left", ylim=(0, None)),
                    panel(
                        band(time, 100 * self.turnover(a), color=PURPLE), falls, x="time (s)", y="turnover (% per s)",
                        ylim=(0, None),
                    ),
                ],
                size=(10.2, 3.4), caption=f"{over_seeds(seeds)}; {loss}",
            ),
            "growth_curves": panel(
                *curves, level(0, color="0.5", linewidth=0.8), x="calcium", y="growth (largest rate)",
                title="elements grow below the set point", legend="upper right",
            ),
            "connections": page(halves, size=(8.4, 4.4), caption="red: exciting, blue: inhibiting; one seed"),
            "degrees": page(degrees, size=(7.4, 3.4), legend=2, caption=over_seeds(seeds)),
        }  # fmt: skip


if __name__ == "__main__":
    script(StructuralHomeostasis.name)
