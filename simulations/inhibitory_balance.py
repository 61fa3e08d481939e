"""Inhibitory plasticity balances a recurrent network: from synchronous and fast to asynchronous, irregular and slow.

The network (plasticity.networks.balanced) starts without inhibition onto its excitatory neurons. For `before_s` the weights are
held, for `learning_s` the rule `inhibitory_stdp` changes them, for `after_s` they are held again; everything called "after" is
measured in that last stretch, so that it belongs to the weights and not to their quick changes. Potentials start at random
between reset and threshold; nothing else is random but the connections.

What the target rate promises, and what not. For independent Poisson trains the mean drift of a weight is

    dw/dt = 2 eta tau r_pre (r_post - rho0)

and stands still at r_post = rho0. The trains of a network are not independent. With C(s) the cross-covariance of the two trains,
s = t_post - t_pre,

    dw/dt = 2 eta tau r_pre (r_seen - rho0),     r_seen = r_post + integral of C(s) e^{-|s|/tau} ds / (2 tau r_pre)

An inhibitory spike makes a spike of its own target less likely in the next 10 to 20 ms, C(s > 0) < 0, the more so the larger the
single conductance. So r_seen is below r_post, and the rate comes to rest above rho0: with 40 synapses of about 2 nS onto each
neuron at 3.9 Hz instead of 3 Hz, where r_seen is 3.0 Hz (one seed, 400 s). r_seen is measured here from the pairs of recorded
spikes of connected neurons, and once more from pairs that are not connected, where that effect is absent. The rate is given as it
is, against the target.

How long it takes: the rate falls from 170 to 20 Hz in a second or two, to 1.5 rho0 in about 100 s, and then ever more slowly, by
another 5 % between 200 and 400 s.

Source: Vogels, Sprekeler, Zenke, Clopath & Gerstner 2011, doi:10.1126/science.1211095. The numbers of the network are those of
Brian2's public example of it, which starts all neurons above threshold and runs for 10 s; the rate is near 9 Hz then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import Hz, ms, second

from plasticity.engine import Program
from plasticity.errors import WrongUse
from plasticity.networks.balanced import Balanced
from plasticity.parallel import Progress
from plasticity.rules import inhibitory_stdp
from plasticity.settings import setting
from plasticity.spike_statistics import correlation, intervals_cv, seen_rate
from plasticity.statistics import mean_and_interval
from simulations.figures import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILION, over_seeds
from simulations.figures.kinds import Layer, Panel, band, level, line, means, moment, page, panel, share, span, steps_band, theory
from simulations.frame.checks import Check, every_seed, near
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Session

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

VOGELS = "Vogels et al. 2011, doi:10.1126/science.1211095"
WINDOW_S = 10  # about: stretch of learning in which coefficients of variation are taken
SHOWN, SHOWN_S = 200, 0.4  # neurons and seconds of the raster
WEIGHT_EDGES = np.linspace(0, 15, 61)  # nS
LOOKS = ((BLUE, "-"), (VERMILION, "--"), (GREEN, "-."), (PURPLE, ":"), (ORANGE, "-"), (BLACK, "--"))  # of the target rates


@dataclass(frozen=True)
class InhibitoryBalance(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "inhibitory_balance"
    summary: ClassVar[str] = (
        "inhibitory STDP turns a synchronous recurrent network asynchronous and irregular, near a target rate"
    )
    source: ClassVar[str] = VOGELS
    default_seeds: ClassVar[int] = 3
    uses: ClassVar[tuple[str, ...]] = ("inhibitory_stdp", "lif_conductance")

    excitatory: int = setting(8000, "excitatory neurons", low=10, high=100_000)
    inhibitory: int = setting(2000, "inhibitory neurons", low=5, high=100_000)
    p: float = setting(0.02, "probability of a connection", low=1e-4, high=1)
    rho0_hz: tuple[float, ...] = setting((3.0, 5.0), "target rates, a run for each", unit="Hz", low=0.1, high=100)
    eta: float = setting(0.01, "learning rate", low=0, high=1)
    tau_ms: float = setting(20.0, "time constant of the traces", unit="ms", low=1, high=1000)
    w_E_nS: float = setting(0.3, "conductance of an excitatory synapse", unit="nS", low=0, high=100)
    w_II_nS: float = setting(3.0, "conductance of a synapse between inhibitory neurons", unit="nS", low=0, high=100)
    w_start: float = setting(0.0, "plastic weight at the start", unit="nS", low=0, high=100)
    before_s: int = setting(1, "simulated time before learning", unit="s", low=1, high=1000)
    learning_s: int = setting(300, "simulated time of learning", unit="s", low=1, high=8000)
    after_s: int = setting(20, "simulated time after learning", unit="s", low=1, high=1000)

    def refuse(self) -> None:
        if not self.rho0_hz or (np.diff(self.rho0_hz) <= 0).any():
            raise WrongUse(f"rho0_hz={self.rho0_hz} must rise, for example --set rho0_hz=3,5.")

    def network(self, rho0_hz: float) -> Balanced:
        """What is compiled, the same for every target rate, with the numbers of one."""
        rule = inhibitory_stdp(eta=self.eta, tau=self.tau_ms * ms, rho0=rho0_hz * Hz)
        of_E, of_I = min(800, self.excitatory), min(500, self.inhibitory)
        return Balanced(self.excitatory, self.inhibitory, self.p, rule=rule, recorded_E=of_E, recorded_I=of_I)

    @property
    def ends_s(self) -> tuple[int, int, int]:
        """When learning begins, when it ends, and when the run ends."""
        return self.before_s, self.before_s + self.learning_s, self.before_s + self.learning_s + self.after_s

    def windows(self) -> np.ndarray:
        """Edges in seconds of the stretches in which coefficients of variation are taken."""
        begin, end, total = self.ends_s
        return np.array([0.0, *np.linspace(begin, end, max(1, round(self.learning_s / WINDOW_S)) + 1), total])

    def inputs(self, rho0_hz: float, seed: int) -> dict[str, Any]:
        """The inputs of one run."""
        neuron, rng = self.network(rho0_hz).neuron, np.random.default_rng([seed, 1])
        low, high = (float(neuron.parameters[key]) for key in ("reset", "threshold"))
        start = {kind: rng.uniform(low, high, n) for kind, n in (("E.v", self.excitatory), ("I.v", self.inhibitory))}
        strengths = {"EE": self.w_E_nS, "EI": self.w_E_nS, "II": self.w_II_nS}
        learning = {"learn_from": self.ends_s[0], "learn_until": self.ends_s[1]}
        return start | {"w": self.w_start} | {f"{pair}.strength": 1e-9 * nS for pair, nS in strengths.items()} | learning

    def one(self, program: Program, rho0_hz: float, seed: int, progress: Progress) -> dict[str, np.ndarray]:
        """One run, as arrays over seconds, windows or neurons."""
        begin, end, total = self.ends_s
        found = program.run(seed, self.inputs(rho0_hz, seed), duration=total * second, progress=progress)
        network, edges = self.network(rho0_hz), self.windows()
        trains = {kind: (found[f"spike_i_{kind}"], found[f"spike_t_{kind}"]) for kind in ("E", "I")}
        n, step, cv = network.recorded_E, float(network.dt), partial(intervals_cv, *trains["E"], network.recorded_E)
        count = np.vstack([found["count_history"], found["count"]])  # (seconds + 1, excitatory)
        inhibition = np.vstack([found["inhibition_history"], found["inhibition"]])
        connected = np.zeros((network.recorded_I, n), dtype=bool)
        inside = (found["synapse_i"] < network.recorded_I) & (found["synapse_j"] < n)
        connected[found["synapse_i"][inside], found["synapse_j"][inside]] = True
        return {
            "rate_E": np.diff(count.mean(axis=1)),
            "rate_I": found["rate_I"].reshape(total, -1).mean(axis=1),
            "mean_weight": inhibition.sum(axis=1)[1:] / len(found["w"]),
            "cv_windows": np.array([_known_mean(cv(a, b)) for a, b in zip(edges, edges[1:], strict=False)]),
            "correlation": np.array([correlation(*trains["E"], n, a, a + 1) for a in range(total)]),
            "neuron_rate": (count[-1] - count[end]) / self.after_s,
            "neuron_rate_before": count[begin] / self.before_s,
            "neuron_cv": cv(end, total),
            "neuron_cv_before": cv(0, begin),
            "weights": np.histogram(found["w"], WEIGHT_EDGES)[0] / len(found["w"]),
            "seen": np.array(seen_rate(trains["I"], trains["E"], connected, (end, total), self.tau_ms / 1000, step)),
            **self._raster(found, "before", begin, step),
            **self._raster(found, "after", total, step),
        }

    def _raster(self, found: Mapping[str, np.ndarray], name: str, end: int, step: float) -> dict[str, np.ndarray]:
        """Spikes of some excitatory neurons (time, neuron) and both population rates in bins of 1 ms, just before `end`."""
        length, which, when = min(SHOWN_S, float(self.before_s)), found["spike_i_E"], found["spike_t_E"]
        chosen = (which < SHOWN) & (when >= end - length - step / 2) & (when < end - step / 2)
        last, per_bin = slice(round(end / step) - round(length / step), round(end / step)), round(0.001 / step)
        rates = {kind: found[f"rate_{kind}"][last].reshape(-1, per_bin).mean(axis=1) for kind in ("E", "I")}
        spikes = np.stack([when[chosen] - (end - length), which[chosen]])
        return {f"raster_{name}": spikes} | {f"raster_rate_{kind}_{name}": rate for kind, rate in rates.items()}

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """What a run gives, (target rates, seeds, ...), but rasters of the first alone; edges of windows and weights."""
        programs = {rho0: self.network(rho0).program() for rho0 in self.rho0_hz}
        grid = [(rho0, seed) for rho0 in self.rho0_hz for seed in session.seeds]

        def one(item: tuple[float, int], tell: Progress) -> dict[str, np.ndarray]:
            return self.one(programs[item[0]], *item, lambda fraction: tell(0.98 * fraction))  # the rest is the analysis

        made = dict(session.each(one, grid))
        arrays = dict(made[grid[0]])
        for name in (name for name in arrays if not name.startswith("raster")):
            stacked = np.stack([made[item][name] for item in grid])
            arrays[name] = stacked.reshape(len(self.rho0_hz), len(session.seeds), *stacked.shape[1:])
        return arrays | {"windows": self.windows(), "weight_edges": WEIGHT_EDGES}

    def quantities(self, a: Arrays, k: int) -> dict[str, np.ndarray]:
        """Of the k-th target rate, one value for each seed."""
        rate, before, after = a["rate_E"][k], slice(self.before_s), slice(-self.after_s, None)
        learning = rate[:, self.before_s : rate.shape[1] - self.after_s]
        fifth = max(1, learning.shape[1] // 5)
        two = 2 * fifth <= learning.shape[1]
        return {
            "rate_E_before_hz": rate[:, before].mean(axis=1),
            "rate_I_before_hz": a["rate_I"][k][:, before].mean(axis=1),
            "rate_E_hz": rate[:, after].mean(axis=1),
            "rate_I_hz": a["rate_I"][k][:, after].mean(axis=1),
            "rate_E_median_hz": np.median(a["neuron_rate"][k], axis=1),
            "rate_E_last_fifth_of_learning_hz": learning[:, -fifth:].mean(axis=1),
            "rate_E_fifth_before_hz": learning[:, -2 * fifth : -fifth].mean(axis=1) if two else rate[:, 0],
            "rate_seen_connected_hz": a["seen"][k, :, 0],
            "rate_seen_unconnected_hz": a["seen"][k, :, 1],
            "rate_weighted_hz": a["seen"][k, :, 2],
            "cv_before": np.array([_known_mean(row) for row in a["neuron_cv_before"][k]]),
            "cv": np.array([_known_mean(row) for row in a["neuron_cv"][k]]),
            "correlation_before": np.array([_known_mean(row[before]) for row in a["correlation"][k]]),
            "correlation": np.array([_known_mean(row[after]) for row in a["correlation"][k]]),
            "mean_weight_nS": a["mean_weight"][k, :, -1],
        }

    def numbers(self, a: Arrays) -> dict[str, Any]:
        found = [(rho0, self.quantities(a, k)) for k, rho0 in enumerate(self.rho0_hz)]
        told = [{"rho0_hz": rho0} | {name: mean_and_interval(row) for name, row in rows.items()} for rho0, rows in found]
        return {"results": told}

    def checks(self, a: Arrays) -> Iterable[Check]:
        for k, rho0 in enumerate(self.rho0_hz):
            of, label = self.quantities(a, k), f"rho0 {rho0:g} Hz"
            rate, seen = (mean_and_interval(of[name])["mean"] for name in ("rate_E_hz", "rate_seen_connected_hz"))
            yield near(f"{label}: rate of excitatory neurons (Hz)", rho0, rate, rel=0.1, source=f"target rate; {VOGELS}")
            yield near(
                f"{label}: rate as the rule sees it in pairs of spikes (Hz)", rho0, seen, rel=0.1,
                source=f"fixed point of the rule, dw/dt = 2 eta tau r_pre (r_seen - rho0); {VOGELS}",
            )  # fmt: skip
            worst = float(np.nanmin(of["cv"]))
            yield every_seed(
                f"{label}: irregular, CV of intervals", worst > 0.7, published="above 0.7",
                told=f"{_text(of['cv'])}, smallest {worst:.3f}", source=f"asynchronous irregular; {VOGELS}",
            )  # fmt: skip
            first, last = of["correlation_before"], of["correlation"]
            yield every_seed(
                f"{label}: synchronous before, asynchronous after", last < first / 10, published="synchronous, then asynchronous",
                told=f"mean correlation {_text(first)}, then {_text(last)}",
                tolerance="after below a tenth of before, every seed",
                source=f"figure of the network before and after learning; {VOGELS}",
            )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        seeds, targets = a["rate_E"].shape[1], len(self.rho0_hz)
        over = f"mean and 95 % interval over {seeds} seeds; dotted: target rates, CV 0.7"
        sides, right = [_raster(a, name) for name in ("before", "after")], {"loc": "outside lower right"}
        return {
            "raster": page(
                *zip(*sides, strict=True), size=(7.2, 4.8), legend=2, legend_from=(1, 0), sharex=True, height_ratios=[2, 1],
                caption=f"first seed, target rate {self.rho0_hz[0]:g} Hz; the rate axes differ",
            ),
            "time_course": page(
                *([one] for one in self._time_course(a)), size=(7.2, 7.6), legend=targets, outer=True, sharex=True,
                legend_key=lambda label: label.partition("target")[2], caption=f"{over}; grey: weights held",
            ),
            "distributions": page(
                self._distributions(a), size=(7.6, 3.1), legend=targets, legend_look=right, caption=f"after learning, {over}"
            ),
            "fixed_point": page([self._fixed_point(a)], size=(5.8, 3.9), caption=over_seeds(seeds)),
        }  # fmt: skip

    def _targets(self, layer: Callable[..., Layer], values: Iterable[Any], name: str = "", **look: Any) -> list[Layer]:
        """A layer for each target rate, of its values, in its look."""
        looks = zip(self.rho0_hz, values, cycle(LOOKS), strict=False)
        return [
            layer(rows, **{"color": colour, "linestyle": stroke, "label": f"{name}target {rho0:g} Hz", **look})
            for rho0, rows, (colour, stroke) in looks
        ]

    def _time_course(self, a: Arrays) -> list[Panel]:
        """Rates, irregularity, synchrony and the mean plastic weight over time; mean and 95 % interval over seeds."""
        seconds, middle = np.arange(a["rate_E"].shape[2]) + 0.5, (a["windows"][1:] + a["windows"][:-1]) / 2
        within, between = partial(band, seconds, alpha=0.25), partial(band, seconds + 0.5, alpha=0.25)  # a second, two of them
        rates = self._targets(within, a["rate_E"], "excitatory, ")
        rates += self._targets(within, a["rate_I"], "inhibitory, ", linewidth=0.6)
        rates += self._targets(level, self.rho0_hz, linestyle=":", linewidth=1, label="")
        cv = self._targets(partial(band, middle, alpha=0.25), a["cv_windows"], marker="o", markersize=3)
        synchrony, weights = self._targets(within, a["correlation"], linewidth=0.9), self._targets(between, a["mean_weight"])

        def near_0(axis: Any) -> None:  # the correlation of independent neurons may be below 0
            axis.set_yscale("symlog", linthresh=1e-3)
            axis.set_ylim(min(0.0, axis.dataLim.y0), 1)

        begin, end, total = self.ends_s
        held = [span(0, begin, alpha=0.25), span(end, total, alpha=0.25)]
        shared: dict[str, Any] = {"x": "time (s)", "xlim": (0, total)}
        return [
            panel(*rates, *held, y="mean rate\n(Hz, log scale)", yscale="log", **shared),
            panel(*cv, level(0.7, linestyle=":", linewidth=1), *held, y="CV of intervals", ylim=(0, None), **shared),
            panel(*synchrony, *held, y="mean correlation\n(log scale above 0.001)", then=near_0, **shared),
            panel(*weights, *held, y="mean weight (nS)", **shared),
        ]

    def _distributions(self, a: Arrays) -> list[Panel]:
        """Rates and coefficients of variation of single neurons and the weights at the end: mean and 95 % interval over seeds."""
        quantum = 1 / self.after_s  # rates are multiples of it: a bin holds as many of them as the next
        width = quantum * np.ceil(max(1.0, float(np.percentile(a["neuron_rate"], 99.5))) / 30 / quantum)
        edges = np.arange(31) * width - quantum / 2, np.linspace(0, 2, 41), a["weight_edges"]
        shares = *(share(a[name], bins) for name, bins in zip(("neuron_rate", "neuron_cv"), edges, strict=False)), a["weights"]
        steps = [self._targets(partial(steps_band, edges=bins), rows) for rows, bins in zip(shares, edges, strict=True)]
        targets = self._targets(moment, self.rho0_hz, linestyle=":", linewidth=1, label="")
        limits = [(bins[0], bins[-1]) for bins in edges]
        return [
            panel(*steps[0], *targets, x="rate of a neuron (Hz)", y="share of neurons or synapses", xlim=limits[0]),
            panel(*steps[1], moment(0.7, linestyle=":", linewidth=1), x="CV of a neuron's intervals", xlim=limits[1]),
            panel(*steps[2], x="plastic weight (nS)", xlim=limits[2]),
        ]

    def _fixed_point(self, a: Arrays) -> Panel:
        """The rate, and the rate as the rule sees it in pairs of spikes, against the target; mean and interval over seeds."""
        of, ends = [self.quantities(a, k) for k in range(len(self.rho0_hz))], np.array([0, 1.3 * max(self.rho0_hz)])
        layers = [theory(ends, ends, color=GREY, linestyle=":", label="target")]
        full, hollow = {"markersize": 4, "zorder": 3}, {"markersize": 10, "fillstyle": "none"}  # one within the other
        for name, label, colour, marker, look in (
            ("rate_E_hz", "mean rate of all neurons", BLACK, "o", full),
            ("rate_seen_connected_hz", "seen by the rule, connected pairs", BLUE, "D", full),
            ("rate_seen_unconnected_hz", "the same from pairs without a synapse", ORANGE, "s", hollow),
        ):
            rates = np.stack([row[name] for row in of], axis=1)  # (seeds, target rates)
            layers.append(means(self.rho0_hz, rates, color=colour, marker=marker, linestyle="", label=label, **look))
        return panel(
            *layers, x="target rate $\\rho_0$ (Hz)", y="rate after learning (Hz)", xlim=(0, ends[1]), ylim=(0, None),
            legend="lower right",
        )  # fmt: skip


def _known_mean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else np.nan


def _text(values: np.ndarray) -> str:
    row = mean_and_interval(values)
    return f"{row['mean']:.3g} [{row['low']:.3g}, {row['high']:.3g}]"


def _raster(a: Arrays, name: str) -> tuple[Panel, Panel]:
    """Spikes of some excitatory neurons, and both population rates in bins of 1 ms, before or after learning."""
    (when, which), first = a[f"raster_{name}"], name == "before"
    rates = [
        line(np.arange(len(rate)) + 0.5, rate, color=colour, linestyle=stroke, linewidth=0.9, label=label)
        for kind, colour, stroke, label in (("E", BLUE, "-", "excitatory"), ("I", VERMILION, "--", "inhibitory"))
        for rate in [a[f"raster_rate_{kind}_{name}"]]
    ]
    length = len(a[f"raster_rate_E_{name}"])  # before learning, so many spikes that fewer ms are clear
    shown: dict[str, Any] = {"xlim": (length / 2, length)}
    spikes = line(1000 * when, which, ".", markersize=1.5, color=BLACK)
    return (
        panel(spikes, y="excitatory neuron" if first else "", title=f"{name} learning, weights held", **shown),
        panel(*rates, x="time (ms)", y="population rate (Hz)" if first else "", ylim=(0, None), **shown),
    )


if __name__ == "__main__":
    script(InhibitoryBalance.name)
