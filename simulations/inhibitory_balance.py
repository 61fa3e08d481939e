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

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import Hz, ms, second

from plasticity.engine import Program, backend, program
from plasticity.errors import WrongUse
from plasticity.networks.balanced import Balanced, build
from plasticity.parallel import Progress, each
from plasticity.rules import inhibitory_stdp
from plasticity.settings import setting
from plasticity.statistics import interval
from simulations.simulation import Check, Outcome, Simulation, script

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from plasticity.records import Record

VOGELS = "Vogels et al. 2011, doi:10.1126/science.1211095"
BIN_S = 0.005  # of the spike counts whose correlation says how synchronous the neurons are
FEWEST = 5  # intervals between spikes for a coefficient of variation
WINDOW_S = 10  # about: stretch of learning in which coefficients of variation are taken
SHOWN, SHOWN_S = 200, 0.4  # neurons and seconds of the raster


@dataclass(frozen=True)
class InhibitoryBalance(Simulation):
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

    def network(self, rho0_hz: float) -> Balanced:
        """What is compiled, the same for every target rate, with the numbers of one."""
        return Balanced(
            self.excitatory,
            self.inhibitory,
            self.p,
            rule=inhibitory_stdp(eta=self.eta, tau=self.tau_ms * ms, rho0=rho0_hz * Hz),
            recorded_E=min(800, self.excitatory),
            recorded_I=min(500, self.inhibitory),
        )

    @property
    def total_s(self) -> int:
        """Simulated time of a run."""
        return self.before_s + self.learning_s + self.after_s

    def windows(self) -> np.ndarray:
        """Edges in seconds of the stretches in which coefficients of variation are taken."""
        start, end = self.before_s, self.before_s + self.learning_s
        inner = np.linspace(start, end, max(1, round(self.learning_s / WINDOW_S)) + 1)
        return np.array([0.0, *inner, self.total_s])

    def inputs(self, rho0_hz: float, seed: int) -> dict[str, Any]:
        """The inputs of the compiled network for one run."""
        network = self.network(rho0_hz)
        rng = np.random.default_rng([seed, 1])
        low, high = (float(network.neuron.parameters[key]) for key in ("reset", "threshold"))
        return network.values() | {
            "E.v": rng.uniform(low, high, self.excitatory),
            "I.v": rng.uniform(low, high, self.inhibitory),
            "w": self.w_start,
            "EE.strength": 1e-9 * self.w_E_nS,
            "EI.strength": 1e-9 * self.w_E_nS,
            "II.strength": 1e-9 * self.w_II_nS,
            "learn_from": self.before_s,
            "learn_until": self.before_s + self.learning_s,
        }

    def one(self, compiled: Program, rho0_hz: float, seed: int, progress: Progress) -> dict[str, np.ndarray]:
        """One run, as arrays over seconds, windows or neurons."""
        found = compiled.run(seed, self.inputs(rho0_hz, seed), duration=self.total_s * second, progress=progress)
        network = self.network(rho0_hz)
        trains = {kind: (found[f"spike_i_{kind}"], found[f"spike_t_{kind}"]) for kind in ("E", "I")}
        n, after = network.recorded_E, (self.total_s - self.after_s, self.total_s)
        edges, seconds = self.windows(), np.arange(self.total_s + 1)
        count = np.vstack([found["count_history"], found["count"]])  # (seconds + 1, excitatory)
        inhibition = np.vstack([found["inhibition_history"], found["inhibition"]])
        made = {
            "rate_E": np.diff(count.mean(axis=1)),
            "rate_I": found["rate_I"].reshape(self.total_s, -1).mean(axis=1),
            "mean_weight": inhibition.sum(axis=1)[1:] / len(found["w"]),
            "cv_windows": np.array([_mean(intervals_cv(*trains["E"], n, a, b)) for a, b in zip(edges, edges[1:], strict=False)]),
            "correlation": np.array([correlation(*trains["E"], n, a, a + 1) for a in seconds[:-1]]),
            "neuron_rate": (count[-1] - count[after[0]]) / self.after_s,
            "neuron_rate_before": count[self.before_s] / self.before_s,
            "neuron_cv": intervals_cv(*trains["E"], n, *after),
            "neuron_cv_before": intervals_cv(*trains["E"], n, 0, self.before_s),
            "weights": np.histogram(found["w"], WEIGHT_EDGES)[0] / len(found["w"]),
        }
        shape = network.recorded_I, n
        inside = (found["synapse_i"] < shape[0]) & (found["synapse_j"] < shape[1])
        connected = np.zeros(shape, dtype=bool)
        connected[found["synapse_i"][inside], found["synapse_j"][inside]] = True
        made["seen"] = np.array(seen_rate(trains["I"], trains["E"], connected, after, self.tau_ms / 1000, float(network.dt)))
        step = float(network.dt)
        per_bin = round(0.001 / step)
        for name, end in (("before", self.before_s), ("after", self.total_s)):
            length = min(SHOWN_S, float(self.before_s))
            which, when = trains["E"]
            chosen = (which < SHOWN) & (when >= end - length - step / 2) & (when < end - step / 2)
            made[f"raster_{name}"] = np.stack([when[chosen] - (end - length), which[chosen]])
            last = slice(round(end / step) - round(length / step), round(end / step))
            for kind in ("E", "I"):
                made[f"raster_rate_{kind}_{name}"] = found[f"rate_{kind}"][last].reshape(-1, per_bin).mean(axis=1)
        return made

    def run(self, seeds: Sequence[int], jobs: int, progress: Progress) -> Outcome:
        if not self.rho0_hz or (np.diff(self.rho0_hz) <= 0).any():
            raise WrongUse(f"rho0_hz={self.rho0_hz} must rise, for example --set rho0_hz=3,5.")
        compiled = program(build, self.network(self.rho0_hz[0]).structure())
        grid = [(rho0, seed) for rho0 in self.rho0_hz for seed in seeds]

        def one(key: tuple[float, int], tell: Progress) -> dict[str, np.ndarray]:
            return self.one(compiled, *key, lambda fraction: tell(0.98 * fraction))  # the rest is the analysis

        made = dict(each(one, grid, jobs, progress))
        found = [made[key] for key in grid]
        arrays = {}
        for name in found[0]:
            if name.startswith("raster"):  # of the first target rate and seed
                arrays[name] = found[0][name]
            else:
                stacked = np.stack([made[name] for made in found])
                arrays[name] = stacked.reshape(len(self.rho0_hz), len(seeds), *stacked.shape[1:])
        arrays["windows"], arrays["weight_edges"] = self.windows(), WEIGHT_EDGES
        results, checks = judge(arrays, self.rho0_hz, self.before_s, self.after_s)
        return Outcome({"results": results}, checks, arrays, backend())

    def figures(self, record: Record) -> dict[str, Figure]:
        from simulations import figures

        with figures.style():
            return {
                "raster": raster(record),
                "time_course": time_course(record),
                "distributions": distributions(record),
                "fixed_point": fixed_point(record),
            }


WEIGHT_EDGES = np.linspace(0, 15, 61)


# Measures


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else np.nan


def intervals_cv(which: np.ndarray, when: np.ndarray, n: int, start: float, end: float) -> np.ndarray:
    """Coefficient of variation of the intervals between each neuron's spikes in [start, end); nan for fewer than `FEWEST`.

    sd(ISI)/mean(ISI): 0 for a clock, 1 for a Poisson process.
    """
    inside = (when >= start) & (when < end)
    order = np.lexsort((when[inside], which[inside]))
    i, t = which[inside][order], when[inside][order]
    same = i[1:] == i[:-1]
    owner, isi = i[1:][same], np.diff(t)[same]
    number = np.bincount(owner, minlength=n)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(owner, isi, minlength=n) / number
        variance = np.bincount(owner, (isi - mean[owner]) ** 2, minlength=n) / number
        return np.where(number >= FEWEST, np.sqrt(variance) / mean, np.nan)


def correlation(which: np.ndarray, when: np.ndarray, n: int, start: float, end: float) -> float:
    """Mean correlation over all pairs of neurons of their spike counts in bins of 5 ms in [start, end): synchrony.

    [Var(sum_i n_i) - sum_i Var(n_i)]/[(sum_i sd_i)^2 - sum_i Var(n_i)]: 0 for independent neurons, 1 for identical ones; nan
    where fewer than two neurons vary.
    """
    bins = round((end - start) / BIN_S)
    inside = (when >= start) & (when < end)
    at = np.minimum(((when[inside] - start) / BIN_S + 1e-6).astype(int), bins - 1)
    counts = np.zeros((n, bins))
    np.add.at(counts, (which[inside], at), 1)
    variance = counts.var(axis=1)
    if (variance > 0).sum() < 2:
        return np.nan
    total = counts.sum(axis=0).var()
    return float((total - variance.sum()) / (np.sqrt(variance).sum() ** 2 - variance.sum()))


def seen_rate(
    pre: tuple[np.ndarray, np.ndarray],
    post: tuple[np.ndarray, np.ndarray],
    connected: np.ndarray,
    stretch: tuple[float, float],
    tau_s: float,
    dt_s: float,
) -> tuple[float, float, float]:
    """The postsynaptic rate as the rule sees it, in Hz: pairs of spikes, over presynaptic spikes.

    r_seen = sum over pairs of e^{-|t_post - t_pre|/tau} / (2 tau n_pre). A loop over the spikes, with a trace for each neuron,
    of all pairs of recorded neurons; pairs in one time step are left out.

    Parameters
    ----------
    pre, post : (neuron, time) of each spike
        Times in seconds, rising.
    connected : array of bool, shape (pre, post)
        Which pairs have a synapse.

    Returns
    -------
    r_seen of connected pairs, r_seen of other pairs, and the rate itself, weighted by presynaptic spikes of connected pairs
    as r_seen is.
    """
    shape, events = connected.shape, []
    for which, when in (pre, post):
        inside = (when >= stretch[0] - dt_s / 2) & (when < stretch[1] - dt_s / 2)
        events.append((which[inside], np.round(when[inside] / dt_s).astype(int)))
    traces, sums = [np.zeros(size) for size in shape], np.zeros(shape)
    steps = np.unique(np.concatenate([when for _, when in events]))
    bounds = [(np.searchsorted(when, steps), np.searchsorted(when, steps, side="right")) for _, when in events]
    decay = np.exp(-np.diff(steps, prepend=steps[:1]) * dt_s / tau_s)
    for k in range(len(steps)):
        now = [which[low[k] : high[k]] for (which, _), (low, high) in zip(events, bounds, strict=True)]
        for trace in traces:
            trace *= decay[k]
        if len(now[0]):
            sums[now[0]] += traces[1]
        if len(now[1]):
            sums[:, now[1]] += traces[0][:, None]
        for trace, spiking in zip(traces, now, strict=True):
            trace[spiking] += 1
    n_pre, n_post = (np.bincount(which, minlength=size) for (which, _), size in zip(events, shape, strict=True))
    found = []
    for pairs in (connected, ~connected):
        weight = float((n_pre[:, None] * pairs).sum())
        found.append(float(sums[pairs].sum()) / (2 * tau_s * weight) if weight else np.nan)
    weight = float((n_pre[:, None] * connected).sum())
    rate = float(n_pre @ connected @ n_post) / (weight * (stretch[1] - stretch[0])) if weight else np.nan
    return found[0], found[1], rate


def _bounds(values: np.ndarray) -> dict[str, float]:
    """Mean and 95 % interval over seeds; nan bounds where there are fewer than two."""
    values = values[np.isfinite(values)]
    low, high = interval(values)
    return {"mean": float(values.mean()) if len(values) else np.nan, "low": low, "high": high}


def judge(
    arrays: dict[str, np.ndarray], rho0_hz: Sequence[float], before_s: int, after_s: int
) -> tuple[list[dict[str, Any]], list[Check]]:
    """Numbers for each target rate, and whether the published statements hold; all arrays (target rates, seeds, ...)."""
    results, checks = [], []
    for k, rho0 in enumerate(rho0_hz):
        rate = arrays["rate_E"][k]
        settling = rate[:, before_s : rate.shape[1] - after_s]
        fifth = max(1, settling.shape[1] // 5)
        quantities = {
            "rate_E_before_hz": rate[:, :before_s].mean(axis=1),
            "rate_I_before_hz": arrays["rate_I"][k, :, :before_s].mean(axis=1),
            "rate_E_hz": rate[:, -after_s:].mean(axis=1),
            "rate_I_hz": arrays["rate_I"][k, :, -after_s:].mean(axis=1),
            "rate_E_median_hz": np.median(arrays["neuron_rate"][k], axis=1),
            "rate_E_last_fifth_of_learning_hz": settling[:, -fifth:].mean(axis=1),
            "rate_E_fifth_before_hz": settling[:, -2 * fifth : -fifth].mean(axis=1)
            if 2 * fifth <= settling.shape[1]
            else rate[:, 0],
            "rate_seen_connected_hz": arrays["seen"][k, :, 0],
            "rate_seen_unconnected_hz": arrays["seen"][k, :, 1],
            "rate_weighted_hz": arrays["seen"][k, :, 2],
            "cv_before": np.array([_mean(row) for row in arrays["neuron_cv_before"][k]]),
            "cv": np.array([_mean(row) for row in arrays["neuron_cv"][k]]),
            "correlation_before": np.array([_mean(row[:before_s]) for row in arrays["correlation"][k]]),
            "correlation": np.array([_mean(row[-after_s:]) for row in arrays["correlation"][k]]),
            "mean_weight_nS": arrays["mean_weight"][k, :, -1],
        }
        row = {name: _bounds(values) for name, values in quantities.items()}
        results.append({"rho0_hz": rho0, **row})
        label = f"rho0 {rho0:g} Hz"
        checks.append(
            Check(
                f"{label}: rate of excitatory neurons (Hz)", rho0, row["rate_E_hz"]["mean"], 0.1 * rho0, f"target rate; {VOGELS}"
            )
        )
        checks.append(
            Check(
                f"{label}: rate as the rule sees it in pairs of spikes (Hz)",
                rho0,
                row["rate_seen_connected_hz"]["mean"],
                0.1 * rho0,
                f"fixed point of the rule, dw/dt = 2 eta tau r_pre (r_seen - rho0); {VOGELS}",
            )
        )
        worst = float(np.nanmin(quantities["cv"]))
        text = f"{_text(row['cv'])}, smallest {worst:.3f}"
        irregular = bool(worst > 0.7)
        checks.append(
            Check(
                f"{label}: irregular, CV of intervals",
                "above 0.7",
                text,
                "every seed",
                f"asynchronous irregular; {VOGELS}",
                irregular,
            )
        )
        first, last = quantities["correlation_before"], quantities["correlation"]
        checks.append(
            Check(
                f"{label}: synchronous before, asynchronous after",
                "synchronous, then asynchronous",
                f"mean correlation {_text(row['correlation_before'])}, then {_text(row['correlation'])}",
                "after below a tenth of before, every seed",
                f"figure of the network before and after learning; {VOGELS}",
                bool((last < first / 10).all()),
            )
        )
    return results, checks


def _text(row: dict[str, float]) -> str:
    return f"{row['mean']:.3g} [{row['low']:.3g}, {row['high']:.3g}]"


# Figures

_LOOK = (("BLUE", "-"), ("VERMILION", "--"), ("GREEN", "-."), ("PURPLE", ":"), ("ORANGE", "-"), ("BLACK", "--"))


def _look(k: int) -> tuple[str, str]:
    from simulations import figures

    colour, line = _LOOK[k % len(_LOOK)]
    return getattr(figures, colour), line


def _targets(record: Record) -> list[float]:
    return [row["rho0_hz"] for row in record.numbers["results"]]


def _seeds(record: Record) -> str:
    return f"{record.arrays['rate_E'].shape[1]} seeds"


def raster(record: Record) -> Figure:
    """Spikes of some excitatory neurons, and both population rates in bins of 1 ms, before and after learning."""
    from simulations import figures

    figure, axes = figures.new(7.2, 4.8, rows=2, columns=2, sharex=True, height_ratios=[2, 1])
    for column, name in enumerate(("before", "after")):
        when, which = record.arrays[f"raster_{name}"]
        axes[0, column].plot(1000 * when, which, linestyle="", marker=".", markersize=1.5, color=figures.BLACK)
        axes[0, column].set_title(f"{name} learning, weights held", loc="left")
        for kind, colour, line, label in (("E", figures.BLUE, "-", "excitatory"), ("I", figures.VERMILION, "--", "inhibitory")):
            rate = record.arrays[f"raster_rate_{kind}_{name}"]
            axes[1, column].plot(np.arange(len(rate)) + 0.5, rate, color=colour, linestyle=line, linewidth=0.9, label=label)
        axes[1, column].set_xlabel("time (ms)")
        axes[1, column].set_ylim(bottom=0)
        axes[1, column].set_xlim(len(rate) / 2, len(rate))  # before learning, so many spikes that fewer ms are clear
    axes[0, 0].set_ylabel("excitatory neuron")
    axes[1, 0].set_ylabel("population rate (Hz)")
    figure.suptitle(f"first seed, target rate {_targets(record)[0]:g} Hz; the rate axes differ", x=0.01, ha="left", fontsize=10)
    figures.legend(figure, *axes[1, 0].get_legend_handles_labels(), columns=2)
    return figure


def _band(axis: Any, x: np.ndarray, values: np.ndarray, colour: str, **look: Any) -> None:
    """The mean over seeds as a line and its 95 % interval as a band."""
    rows = [_bounds(column) for column in values.T]
    mean, low, high = (np.array([row[key] for row in rows]) for key in ("mean", "low", "high"))
    axis.plot(x, mean, color=colour, **look)
    axis.fill_between(x, low, high, color=colour, alpha=0.25, linewidth=0)


def time_course(record: Record) -> Figure:
    """Rates, irregularity, synchrony and the mean plastic weight over time; mean and 95 % interval over seeds."""
    from simulations import figures

    arrays, settings = record.arrays, record.configuration["settings"]
    figure, axes = figures.new(7.2, 7.6, rows=4, sharex=True)
    rate_axis, cv_axis, synchrony_axis, weight_axis = axes[:, 0]
    seconds = np.arange(arrays["rate_E"].shape[2]) + 0.5
    middle = (arrays["windows"][1:] + arrays["windows"][:-1]) / 2
    for k, rho0 in enumerate(_targets(record)):
        colour, line = _look(k)
        label = f"target {rho0:g} Hz"
        _band(rate_axis, seconds, arrays["rate_E"][k], colour, linestyle=line, label=f"excitatory, {label}")
        _band(rate_axis, seconds, arrays["rate_I"][k], colour, linestyle=line, linewidth=0.6, label=f"inhibitory, {label}")
        rate_axis.axhline(rho0, color=colour, linestyle=":", linewidth=1)
        _band(cv_axis, middle, arrays["cv_windows"][k], colour, linestyle=line, marker="o", markersize=3, label=label)
        _band(synchrony_axis, seconds, arrays["correlation"][k], colour, linestyle=line, linewidth=0.9, label=label)
        _band(weight_axis, seconds + 0.5, arrays["mean_weight"][k], colour, linestyle=line, label=label)
    rate_axis.set_yscale("log")
    rate_axis.set_ylabel("mean rate\n(Hz, log scale)")
    cv_axis.axhline(0.7, color=figures.GREY, linestyle=":", linewidth=1)
    cv_axis.set_ylabel("CV of intervals")
    cv_axis.set_ylim(bottom=0)
    synchrony_axis.set_yscale("symlog", linthresh=1e-3)
    synchrony_axis.set_ylim(min(0.0, synchrony_axis.dataLim.y0), 1)  # of independent neurons it may be below 0
    synchrony_axis.set_ylabel("mean correlation\n(log scale above 0.001)")
    weight_axis.set_ylabel("mean weight (nS)")
    weight_axis.set_xlabel("time (s)")
    end = settings["before_s"] + settings["learning_s"]
    for axis in axes[:, 0]:
        axis.axvspan(0, settings["before_s"], color=figures.GREY, alpha=0.25, linewidth=0)
        axis.axvspan(end, end + settings["after_s"], color=figures.GREY, alpha=0.25, linewidth=0)
        axis.set_xlim(0, end + settings["after_s"])
    figure.suptitle(
        f"mean and 95 % interval over {_seeds(record)}; dotted: target rates, CV 0.7; grey: weights held",
        x=0.01, ha="left", fontsize=9,
    )  # fmt: skip
    figures.legend(figure, *rate_axis.get_legend_handles_labels(), columns=len(_targets(record)))
    return figure


def distributions(record: Record) -> Figure:
    """Rates and coefficients of variation of single neurons and the weights at the end: mean and 95 % interval over seeds."""
    from simulations import figures

    arrays = record.arrays
    figure, axes = figures.new(7.6, 3.1, columns=3)
    quantum = (
        1 / record.configuration["settings"]["after_s"]
    )  # rates are multiples of it: a bin holds as many of them as the next
    width = quantum * np.ceil(max(1.0, float(np.percentile(arrays["neuron_rate"], 99.5))) / 30 / quantum)
    panels = (
        ("neuron_rate", np.arange(31) * width - quantum / 2, "rate of a neuron (Hz)"),
        ("neuron_cv", np.linspace(0, 2, 41), "CV of a neuron's intervals"),
        ("weights", arrays["weight_edges"], "plastic weight (nS)"),
    )
    for axis, (name, edges, title) in zip(axes[0], panels, strict=True):
        for k, rho0 in enumerate(_targets(record)):
            colour, line = _look(k)
            share = arrays[name][k]
            if name != "weights":
                share = np.stack([np.histogram(row, edges)[0] / max(1, np.isfinite(row).sum()) for row in share])
            rows = [_bounds(column) for column in share.T]
            mean, low, high = (np.array([row[key] for row in rows]) for key in ("mean", "low", "high"))
            axis.stairs(mean, edges, color=colour, linestyle=line, linewidth=1.5, label=f"target {rho0:g} Hz")
            if np.isfinite(low).any():
                axis.stairs(high, edges, baseline=low, fill=True, color=colour, alpha=0.25)
            if name == "neuron_rate":
                axis.axvline(rho0, color=colour, linestyle=":", linewidth=1)
        if name == "neuron_cv":
            axis.axvline(0.7, color=figures.GREY, linestyle=":", linewidth=1)
        axis.set_xlabel(title)
        axis.set_xlim(edges[0], edges[-1])
    axes[0, 0].set_ylabel("share of neurons or synapses")
    figures.legend(figure, *axes[0, 0].get_legend_handles_labels(), columns=len(_targets(record)), loc="outside lower right")
    figure.suptitle(
        f"after learning, mean and 95 % interval over {_seeds(record)}; dotted: target rates, CV 0.7",
        x=0.01,
        ha="left",
        fontsize=9,
    )
    return figure


def fixed_point(record: Record) -> Figure:
    """The rate, and the rate as the rule sees it in pairs of spikes, against the target; mean and 95 % interval over seeds."""
    from simulations import figures

    figure, axes = figures.new(5.8, 3.9)
    axis, targets = axes[0, 0], _targets(record)
    full, hollow = (
        {"markersize": 4, "zorder": 3},
        {"markersize": 10, "fillstyle": "none"},
    )  # one within the other, so that both are seen
    shown: tuple[tuple[str, str, str, str, dict[str, Any]], ...] = (
        ("rate_E_hz", "mean rate of all neurons", figures.BLACK, "o", full),
        ("rate_seen_connected_hz", "seen by the rule, connected pairs", figures.BLUE, "D", full),
        ("rate_seen_unconnected_hz", "the same from pairs without a synapse", figures.ORANGE, "s", hollow),
    )
    ends = np.array([0, 1.3 * max(targets)])
    axis.plot(ends, ends, color=figures.GREY, linestyle=":", label="target")
    for name, label, colour, marker, marked in shown:
        rows = [row[name] for row in record.numbers["results"]]
        mean, low, high = (
            np.array([np.nan if row[key] is None else row[key] for row in rows]) for key in ("mean", "low", "high")
        )
        axis.plot(targets, mean, color=colour, marker=marker, linestyle="", label=label, **marked)
        axis.vlines(targets, low, high, color=colour)
    axis.set_xlim(0, ends[1])
    axis.set_ylim(bottom=0)
    axis.set_xlabel("target rate $\\rho_0$ (Hz)")
    axis.set_ylabel("rate after learning (Hz)")
    figures.caption(figure, figures.over_seeds(record.arrays["rate_E"].shape[1]))
    axis.legend(loc="lower right")
    return figure


if __name__ == "__main__":
    script(InhibitoryBalance)
