"""What keeps a neuron at its working point: scaled synapses, its own gain and threshold, and tiring synapses.

Synaptic scaling. One LIF neuron with Poisson inputs; all its weights are multiplied by the same factor until it fires at its
target. The input rates are doubled, set back, and halved; after each step the rate is taken from the second half of the
phase, when scaling has had time to act. The ratios of weights must not change at all.

Scaling beside STDP. A recurrent network of LIF neurons under pair STDP in which potentiation outweighs depression: more rate
makes stronger synapses, which make more rate. The same network with the same random numbers, with scaling added to the rule and
without (beta = 0). A small error of the rate remains: potentiation D per second is balanced at rho0 + D/(beta w).

Intrinsic plasticity. A sigmoid y = 1/(1 + exp(-(a x + b))) adapts a and b by gradient descent on the distance of its output's
distribution from the exponential of mean mu. The distribution is held against that exponential by Kolmogorov and Smirnov's
distance (KS). How near it can come depends on the inputs. The rule descends a different distance (Kullback-Leibler), and a
sigmoid has two parameters only: for uniform inputs no a and b whatsoever bring KS below 0.068 at mu = 0.1 (`best_possible`;
every affine change of the inputs is undone by a and b, so that this holds for uniform inputs of any range). That check cannot
hold for this neuron, and is shown as not holding.

Short-term plasticity. Releases of a depressing and of a facilitating synapse at regular spikes; the synapses carry pair STDP
as well.

Sources: Turrigiano, Leslie, Desai, Rutherford & Nelson 1998, doi:10.1038/36103; van Rossum, Bi & Turrigiano 2000,
doi:10.1523/JNEUROSCI.20-23-08812.2000 (scaling); Triesch 2005, doi:10.1007/11550822_11 (intrinsic plasticity); Tsodyks & Markram
1997, doi:10.1073/pnas.94.2.719; Tsodyks, Pawelzik & Markram 1998, doi:10.1162/089976698300017502 (short-term plasticity).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import Hz, Network, SpikeGeneratorGroup, StateMonitor, ms, second
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import norm

from plasticity.engine import Program, backend, program
from plasticity.errors import WrongUse
from plasticity.networks.homeostasis import INPUTS, Intrinsic, Scaled, intrinsic, scaled
from plasticity.neurons import lif_conductance
from plasticity.parallel import Progress, each
from plasticity.protocols import numpy_target
from plasticity.rules import Landing, ShortTerm, pair_stdp, synaptic_scaling
from plasticity.settings import setting
from plasticity.statistics import interval
from simulations.simulation import Check, Outcome, Simulation, script

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from plasticity.records import Record

PHASES = (("start", 1.0), ("doubled", 2.0), ("set back", 1.0), ("halved", 0.5))
BIN_S = 5  # of the rates over time
SHOWN = 10  # weights in the figure
SCALING = "van Rossum, Bi & Turrigiano 2000, doi:10.1523/JNEUROSCI.20-23-08812.2000"
MULTIPLICATIVE = "Turrigiano, Leslie, Desai, Rutherford & Nelson 1998, doi:10.1038/36103"
TRIESCH = "Triesch 2005, doi:10.1007/11550822_11"
RELEASE = {
    "depressing": "Tsodyks & Markram 1997, doi:10.1073/pnas.94.2.719",
    "facilitating": "Tsodyks, Pawelzik & Markram 1998, doi:10.1162/089976698300017502",
}
SYNAPSES = {
    "depressing": ShortTerm(U=0.5, tau_rec=800 * ms),
    "facilitating": ShortTerm(U=0.03, tau_rec=130 * ms, tau_f=530 * ms),
}
SPIKES_HZ = 20.0
# Releases at the first ten spikes at 20 Hz and in the steady state: computed once from the papers' equations and parameters by
# another program.
TABLES = {
    "depressing": (0.5, 0.2651, 0.1548, 0.1030, 0.0787, 0.0673, 0.0619, 0.0594, 0.0582, 0.0576),
    "facilitating": (0.03, 0.0553, 0.0757, 0.0918, 0.1043, 0.1141, 0.1218, 0.1281, 0.1332, 0.1375),
}
STEADY = {"depressing": 0.05713, "facilitating": 0.16549}
CLOSE = 1e-3


@dataclass(frozen=True)
class Homeostasis(Simulation):
    __doc__ = __doc__

    name: ClassVar[str] = "homeostasis"
    summary: ClassVar[str] = "synaptic scaling, intrinsic plasticity and short-term plasticity keep a neuron at its working point"
    source: ClassVar[str] = f"{MULTIPLICATIVE}; {SCALING}; {TRIESCH}; {RELEASE['depressing']}; {RELEASE['facilitating']}"
    uses: ClassVar[tuple[str, ...]] = ("synaptic_scaling", "pair_stdp", "lif_conductance", "intrinsic_rate")

    target_hz: float = setting(10.0, "target rate of the neuron whose inputs change", "Hz", low=1, high=50)
    beta: float = setting(1e-3, "speed of its scaling, per second and hertz", low=1e-5, high=0.1)
    tau_rate_s: float = setting(5.0, "time over which it estimates its rate", "s", low=0.1, high=1000)
    phase_s: int = setting(400, "how long each input rate lasts, in steps of 20", "s", low=20, high=1240)
    input_hz: float = setting(10.0, "rate of each of its 100 inputs at gain 1", "Hz", low=1, high=50)
    network_hz: float = setting(8.0, "target rate of the recurrent network", "Hz", low=1, high=50)
    network_beta: float = setting(0.01, "speed of its scaling, per second and hertz", low=1e-5, high=0.1)
    network_tau_s: float = setting(1.0, "time over which its neurons estimate their rates", "s", low=0.1, high=1000)
    network_s: int = setting(300, "simulated time of the network, in steps of 10", "s", low=10, high=5000)
    neurons: int = setting(50, "neurons in the network, each with 20 inputs from others", low=21, high=1000)
    A_plus: float = setting(5e-4, "potentiation by a pair in the network; depression by a pair is half of it", low=0, high=0.1)
    mu: float = setting(0.1, "mean output that intrinsic plasticity aims at", low=0.01, high=0.5)
    eta: float = setting(1.0, "its rate of adaptation; an input lasts 1 ms", "per s", low=0.01, high=20)
    adapt_s: int = setting(400, "how long it adapts; the last quarter counts", "s", low=4, high=2000)

    def one_neuron(self) -> Scaled:
        """What is compiled for the neuron whose inputs change."""
        rule = synaptic_scaling(beta=self.beta, rho0=self.target_hz * Hz, tau_rate=self.tau_rate_s * second)
        return Scaled(rule=rule, neuron=lif_conductance(t_ref=5 * ms))

    def network(self) -> Scaled:
        """What is compiled for the recurrent network; without scaling it is the same with beta 0."""
        stdp = pair_stdp(A_plus=self.A_plus, A_minus=self.A_plus / 2)
        scaling = synaptic_scaling(beta=self.network_beta, rho0=self.network_hz * Hz, tau_rate=self.network_tau_s * second)
        neuron = lif_conductance(t_ref=5 * ms)
        return Scaled(inputs=20, recurrent=self.neurons, rule=stdp + scaling, landing=Landing(0, 1), neuron=neuron)

    def gains(self) -> np.ndarray:
        """The gain of the inputs in each epoch of 10 s."""
        return np.repeat([gain for _, gain in PHASES], self.phase_s // 10)[:, None]

    def scale(self, compiled: Program, seed: int) -> dict[str, np.ndarray]:
        """One neuron through all phases: spikes per second and, every 5 s, its weights."""
        start = np.random.default_rng([seed, 1]).uniform(0.5, 1.5, 100)
        values = {"w": start, "g_max": 0.05, "g_background": 0.0, "rate": self.input_hz, "gain": self.gains()}
        time = len(PHASES) * self.phase_s
        found = compiled.run(seed, self.one_neuron().values() | values, duration=time * second)
        history = np.vstack([found["w_history"], found["w"]])
        relative = history / history[0]
        deviation = np.abs(relative / relative[:, :1] - 1).max()
        return {
            "counts": per_second(found),
            "weights": history[::BIN_S],
            "deviation": deviation,
        }

    def couple(self, compiled: Program, scaling: bool, seed: int) -> dict[str, np.ndarray]:
        """The recurrent network, with or without scaling: spikes per neuron and second, and mean weight, each second."""
        values: dict[str, Any] = {"w": 0.25, "g_max": 0.05, "g_background": 0.0115}
        values |= {} if scaling else {"plastic.beta": 0.0}
        found = compiled.run(seed, self.network().values() | values, duration=self.network_s * second)
        return {
            "network_counts": per_second(found),
            "network_weight": np.append(found["w_history"].mean(axis=1), found["w"].mean()),
        }

    def adapt(self, compiled: Program, learning: bool, seed: int) -> dict[str, np.ndarray]:
        """Outputs of the units of rates (steps, kinds of input), sorted, and a and b every second."""
        values = {"eta": self.eta if learning else 0.0, "mu": self.mu, "a": 1.0, "b": 0.0}
        time = self.adapt_s if learning else max(self.adapt_s // 4, 1)
        found = compiled.run(seed, values, duration=time * second)
        y = np.sort(found["y"][-max(self.adapt_s // 4, 1) * 1000 :], axis=0)
        return {"y": y, "path": np.stack([found["a"][::1000], found["b"][::1000]])}

    def run(self, seeds: Sequence[int], jobs: int, progress: Progress) -> Outcome:
        if self.phase_s % 20 or self.network_s % 10:
            raise WrongUse(
                f"phase_s={self.phase_s} must be a multiple of 20 and network_s={self.network_s} of 10, for example"
                " --set phase_s=400 --set network_s=300."
            )
        programs = {
            "scale": program(scaled, self.one_neuron().structure()),
            "couple": program(scaled, self.network().structure()),
            "adapt": program(intrinsic, Intrinsic().structure()),
        }
        todo = [("couple", on, seed) for on in (True, False) for seed in seeds] + [("scale", True, seed) for seed in seeds]
        todo += [("adapt", on, seed) for on in (True, False) for seed in seeds]

        def one(key: tuple[str, bool, int], tell: Progress) -> dict[str, np.ndarray]:
            kind, on, seed = key
            compiled = programs[kind]
            if kind == "scale":
                return self.scale(compiled, seed)
            return (self.couple if kind == "couple" else self.adapt)(compiled, on, seed)

        found = dict(each(one, todo, jobs, lambda fraction, note="": progress(0.98 * fraction)))
        arrays: dict[str, np.ndarray] = {}
        for kind, on in (("scale", True), ("couple", True), ("couple", False), ("adapt", True), ("adapt", False)):
            ending = "" if on else "_off"
            for name in found[kind, on, seeds[0]]:
                arrays[name + ending] = np.stack([found[kind, on, seed][name] for seed in seeds])
        released = {kind: releases(synapse) for kind, synapse in SYNAPSES.items()}
        numbers, checks = self.judge(arrays, released)
        progress(1.0)
        return Outcome(numbers, checks, kept(arrays, released), backend())

    def judge(self, arrays: dict[str, np.ndarray], released: dict[str, np.ndarray]) -> tuple[dict[str, Any], list[Check]]:
        """Numbers and checks from what the runs found."""
        checks = []
        tolerance = 0.05
        phases: dict[str, Any] = {}
        counts = arrays["counts"].reshape(len(arrays["counts"]), len(PHASES), -1)
        for k, (name, gain) in enumerate(PHASES):
            late = counts[:, k, self.phase_s // 2 :].mean(axis=1)
            phases[name] = {"gain": gain, "first_5_s_hz": float(counts[:, k, :5].mean()), "rate_hz": spread(late)}
            if name != "start":
                what = f"scaling: rate in Hz with input rates {name}, second half of the phase"
                checks.append(Check(what, self.target_hz, float(late.mean()), tolerance * self.target_hz, SCALING))
        deviation = float(arrays["deviation"].max())
        checks.append(Check("scaling: largest relative change of a ratio of two weights", 0.0, deviation, 1e-12, MULTIPLICATIVE))

        late = arrays["network_counts"][:, self.network_s // 2 :].mean(axis=1)
        off = arrays["network_counts_off"][:, self.network_s // 2 :].mean(axis=1)
        network = {"with_scaling_hz": spread(late), "without_hz": spread(off)}
        for name in ("network_weight", "network_weight_off"):
            network[name] = spread(arrays[name][:, -1])
        what = "pair STDP + scaling: rate in Hz of the recurrent network, second half"
        checks.append(Check(what, self.network_hz, float(late.mean()), tolerance * self.network_hz, SCALING))
        runs_away = bool(off.min() > 3 * self.network_hz and arrays["network_weight_off"][:, -1].min() > 0.95)
        text = f"lowest seed {off.min():.1f} Hz, mean weight {arrays['network_weight_off'][:, -1].min():.3f} of 1"
        what = "pair STDP without scaling runs away"
        wanted = f"above {3 * self.network_hz:g} Hz, mean weight above 0.95, in every seed"
        checks.append(Check(what, wanted, text, "statement of this simulation", "control of the check above", runs_away))

        adapted: dict[str, Any] = {}
        for k, kind in enumerate(INPUTS):
            distance, before = ([ks(y, self.mu) for y in arrays[name][:, :, k]] for name in ("y", "y_off"))
            mean, best = arrays["y"][:, :, k].mean(axis=1), best_possible(kind, self.mu)
            adapted[kind] = {"ks": spread(distance), "ks_before": spread(before), "ks_best_possible": best, "mean": spread(mean)}
            adapted[kind] |= {name: spread(arrays["path"][:, j, -1, k]) for j, name in enumerate("ab")}
            what = f"intrinsic plasticity, {kind} inputs: KS distance from the exponential, largest of all seeds"
            source = f"{TRIESCH}; the smallest distance that any a and b reach with these inputs is {best:.4f}"
            checks.append(Check(what, 0.0, float(max(distance)), 0.05, source))
            what = f"intrinsic plasticity, {kind} inputs: mean output"
            checks.append(Check(what, self.mu, float(mean.mean()), tolerance * self.mu, TRIESCH))

        for kind, table in TABLES.items():
            synapse, ours = SYNAPSES[kind], released[kind]
            source = f"equations and parameters of {RELEASE[kind]}"
            worst = float(np.abs(ours[: len(table)] - table).max())
            what = f"{kind} synapse, {SPIKES_HZ:g} Hz: largest deviation of the first ten releases from the table"
            checks.append(Check(what, 0.0, worst, CLOSE, source))
            checks.append(
                Check(
                    f"{kind} synapse, {SPIKES_HZ:g} Hz: release in the steady state", STEADY[kind], float(ours[-1]), CLOSE, source
                )
            )
            what = f"{kind} synapse, {SPIKES_HZ:g} Hz: release in the steady state, closed form"
            checks.append(Check(what, steady_release(synapse, SPIKES_HZ), float(ours[-1]), 1e-9, source))
        numbers = {
            "scaling": phases,
            "largest_change_of_a_ratio": deviation,
            "network": network,
            "intrinsic": adapted,
            "released": {kind: ours[: len(TABLES[kind])].tolist() for kind, ours in released.items()},
        }
        return numbers, checks

    def figures(self, record: Record) -> dict[str, Figure]:
        from simulations import figures

        with figures.style():
            return {
                "scaling": scaling_figure(record),
                "network": network_figure(record),
                "intrinsic": intrinsic_figure(record),
                "short_term": short_term_figure(record),
            }


def kept(arrays: dict[str, np.ndarray], released: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the figures need of what the runs found."""
    names = ("counts", "network_counts", "network_counts_off", "network_weight", "network_weight_off", "path")
    chosen = {name: arrays[name] for name in names}
    chosen |= {"mean_weight": arrays["weights"].mean(axis=2), "weights": arrays["weights"][0, :, :SHOWN]}
    share = (np.arange(20_000) + 0.5) / 20_000
    chosen |= {name: np.quantile(arrays[name], share, axis=(0, 1)) for name in ("y", "y_off")}
    return chosen | {f"released_{kind}": values for kind, values in released.items()}


def per_second(found: dict[str, np.ndarray]) -> np.ndarray:
    """Spikes per neuron in each second of a run."""
    return np.diff(np.vstack([found["count_history"], found["count"]]), axis=0).mean(axis=1)


def spread(values: Any) -> dict[str, float]:
    """Mean over seeds and its 95 % interval."""
    low, high = interval(values)
    return {"mean": float(np.mean(values)), "low": low, "high": high}


def ks(y: np.ndarray, mu: float) -> float:
    """Largest distance between the distribution of the sorted sample y and the exponential of mean mu."""
    exponential, n = -np.expm1(-y / mu), len(y)
    return float(np.maximum(exponential - np.arange(n) / n, np.arange(1, n + 1) / n - exponential).max())


def best_possible(kind: str, mu: float) -> float:
    """The smallest KS distance from the exponential of mean mu that any a and b reach, by search from 12 starts."""
    share = (np.arange(4000) + 0.5) / 4000
    x = norm.ppf(share) if kind == "normal" else share

    def distance(ab: np.ndarray) -> float:
        return float(np.abs(-np.expm1(-expit(ab[0] * x + ab[1]) / mu) - share).max())

    starts = [(a, b) for a in (0.5, 1.5, 4.0, 6.0) for b in (-5.0, -3.5, -2.0)]
    return float(min(minimize(distance, start, method="Nelder-Mead", options={"maxiter": 2000}).fun for start in starts))


def releases(short_term: ShortTerm, spikes: int = 500) -> np.ndarray:
    """What a synapse releases at each of `spikes` regular presynaptic spikes, simulated with pair STDP on it."""
    every = round(1000 / SPIKES_HZ)
    with numpy_target():
        source = SpikeGeneratorGroup(1, np.zeros(spikes, dtype=int), np.arange(spikes) * every * ms, dt=10 * ms)
        target = SpikeGeneratorGroup(1, [], [] * second, dt=10 * ms)
        synapse = pair_stdp.synapses(
            source, target, transmit="sent = released", model="sent : 1", short_term=short_term, namespace={}, dt=10 * ms
        )
        synapse.connect()
        seen = StateMonitor(synapse, "sent", record=True, dt=every * ms, when="end")
        Network(source, target, synapse, seen).run(spikes * every * ms, namespace={})
        return np.array(seen.sent[0])


def steady_release(short_term: ShortTerm, rate_hz: float) -> float:
    """Closed form of the release at regular spikes, in the steady state.

    u (1 - e)/(1 - (1 - u) e) with e = exp(-D/tau_rec), and u = U, or U/(1 - (1 - U) exp(-D/tau_f)) with facilitation.
    """
    u, left = short_term.U, float(np.exp(-1 / (rate_hz * float(short_term.tau_rec))))
    if short_term.facilitates:
        u = u / (1 - (1 - u) * float(np.exp(-1 / (rate_hz * float(short_term.tau_f)))))
    return u * (1 - left) / (1 - (1 - u) * left)


# Figures


def _binned(counts: np.ndarray, seconds: int = BIN_S) -> tuple[np.ndarray, np.ndarray]:
    """Middle of each bin in seconds and rates (seeds, bins)."""
    rates = counts.reshape(len(counts), -1, seconds).mean(axis=2)
    return (np.arange(rates.shape[1]) + 0.5) * seconds, rates


def _band(axis: Axes, x: np.ndarray, values: np.ndarray, colour: str, label: str, line: str = "-") -> None:
    """Mean over seeds as a line and its 95 % interval as a band."""
    if len(values) > 1:
        low, high = np.array([interval(column) for column in values.T]).T
        axis.fill_between(x, low, high, color=colour, alpha=0.3, linewidth=0)
    axis.plot(x, values.mean(axis=0), color=colour, linestyle=line, label=label)


def scaling_figure(record: Record) -> Figure:
    """Rate and weights of one neuron while its input rates change."""
    from simulations import figures

    chosen, arrays = record.configuration["settings"], record.arrays
    figure, axes = figures.new(7.0, 5.0, rows=2, sharex=True)
    top, bottom = axes[:, 0]
    t, rates = _binned(arrays["counts"])
    _band(top, t, rates, figures.BLUE, f"mean and 95 % interval, {len(rates)} seeds")
    top.axhline(chosen["target_hz"], color=figures.VERMILION, linestyle="--", label="target")
    top.set_yscale("symlog", linthresh=20)
    top.set_yticks([0, 5, 10, 15, 20, 50, 100], ["0", "5", "10", "15", "20", "50", "100"])
    top.set_ylim(-1, 140)
    top.set_ylabel(f"output rate in bins of {BIN_S} s\n(Hz, log scale above 20 Hz)")
    time = np.arange(arrays["weights"].shape[0]) * BIN_S
    for k, curve in enumerate(arrays["weights"].T):
        label = f"{SHOWN} single weights, one seed" if k == 0 else None
        bottom.plot(time, curve, color=figures.GREY, linewidth=0.8, label=label)
    _band(bottom, time, arrays["mean_weight"], figures.BLUE, "mean of all weights, with interval")
    bottom.set_yscale("log")
    bottom.set_yticks([0.2, 0.5, 1, 2, 5], ["0.2", "0.5", "1", "2", "5"])
    bottom.minorticks_off()
    bottom.set_ylabel("weight (no unit, log scale)")
    bottom.set_xlabel("time (s)")
    for k, (name, gain) in enumerate(PHASES):
        for axis in (top, bottom):
            axis.axvline(k * chosen["phase_s"], color=figures.GREY, linewidth=0.6, linestyle=":")
        place = (k + 0.5) * chosen["phase_s"]
        top.text(place, 1.02, f"inputs x {gain:g} ({name})", transform=top.get_xaxis_transform(), ha="center", fontsize=8)
    solid = {"frameon": True, "facecolor": "white", "edgecolor": "none", "framealpha": 1.0}
    top.legend(loc="upper right", **solid)
    bottom.legend(loc="upper left", **solid)
    return figure


def network_figure(record: Record) -> Figure:
    """Rate and mean weight of the recurrent network under STDP, with scaling and without."""
    from simulations import figures

    chosen, arrays = record.configuration["settings"], record.arrays
    figure, axes = figures.new(7.0, 3.2, columns=2)
    left, right = axes[0]
    for ending, colour, line, label in (("", "BLUE", "-", "pair STDP + scaling"), ("_off", "VERMILION", "--", "pair STDP alone")):
        t, rates = _binned(arrays[f"network_counts{ending}"])
        _band(left, t, rates, getattr(figures, colour), label, line)
        weight = arrays[f"network_weight{ending}"]
        _band(right, np.arange(weight.shape[1]), weight, getattr(figures, colour), label, line)
    left.axhline(chosen["network_hz"], color=figures.GREY, linestyle=":", label="target")
    left.set_yscale("log")
    left.set_yticks([5, 10, 20, 50, 100, 200], ["5", "10", "20", "50", "100", "200"])
    left.minorticks_off()
    left.set_ylabel("rate of the neurons (Hz, log scale)")
    right.set_ylabel("mean weight (bounds 0 and 1)")
    right.set_ylim(0, 1.05)
    for axis in (left, right):
        axis.set_xlabel("time (s)")
    figures.legend(figure, *left.get_legend_handles_labels(), columns=3, loc="outside upper center")
    right.set_title(f"mean and 95 % interval, {len(arrays['network_counts'])} seeds", loc="left", fontsize=8)
    left.set_title(f"{chosen['neurons']} neurons, bins of {BIN_S} s", loc="left", fontsize=8)
    return figure


def intrinsic_figure(record: Record) -> Figure:
    """Distribution of the output before and after adaptation beside the exponential, one panel for each kind of input."""
    from simulations import figures

    mu = record.configuration["settings"]["mu"]
    figure, axes = figures.new(7.0, 3.4, columns=len(INPUTS), sharey=True)
    grid = np.linspace(0, 1, 201)
    edges = np.linspace(0, 1, 41)
    for k, (kind, axis) in enumerate(zip(INPUTS, axes[0], strict=True)):
        found = record.numbers["intrinsic"][kind]
        for ending, colour, line, label in (("_off", "ORANGE", "--", "before"), ("", "BLUE", "-", "after adaptation")):
            density = np.histogram(record.arrays[f"y{ending}"][:, k], edges, density=True)[0]
            axis.stairs(density, edges, color=getattr(figures, colour), linestyle=line, linewidth=1.5, label=label)
        axis.plot(
            grid, np.exp(-grid / mu) / mu, color=figures.BLACK, linewidth=1, linestyle=":", label=f"exponential, mean {mu:g}"
        )
        axis.set_yscale("log")
        axis.set_ylim(0.005, 3 / mu)
        axis.set_xlabel("output y (no unit)")
        text = f"{kind} inputs: KS {found['ks']['mean']:.3f} (before {found['ks_before']['mean']:.2f})"
        axis.set_title(text, loc="left", fontsize=8)
    axes[0, 0].set_ylabel("density (log scale)")
    figures.legend(figure, *axes[0, 0].get_legend_handles_labels(), columns=3, loc="outside upper center")
    return figure


def short_term_figure(record: Record) -> Figure:
    """Release at each of the first spikes, simulated and from the tables, and the steady state."""
    from simulations import figures

    figure, axes = figures.new(7.0, 3.2, columns=len(TABLES))
    shown = 20
    for axis, (kind, table) in zip(axes[0], TABLES.items(), strict=True):
        ours = record.arrays[f"released_{kind}"][:shown]
        axis.axhline(STEADY[kind], color=figures.VERMILION, linewidth=1, linestyle="--", label="steady state, table")
        axis.plot(np.arange(1, shown + 1), ours, "-", color=figures.BLUE, marker=".", label="simulated in Brian2")
        axis.plot(
            np.arange(1, len(table) + 1), table, "o", color=figures.VERMILION, fillstyle="none", markersize=8, label="table"
        )
        axis.set_xlabel(f"number of the spike, {SPIKES_HZ:g} Hz")
        axis.set_ylim(0, None)
        axis.set_xticks([1, 5, 10, 15, 20])
        s = SYNAPSES[kind]
        text = f"{kind}: U {s.U:g}, $\\tau_\\mathrm{{rec}}$ {s.tau_rec / ms:g} ms"
        axis.set_title(text + (f", $\\tau_f$ {s.tau_f / ms:g} ms" if s.facilitates else ""), loc="left", fontsize=8)
    axes[0, 0].set_ylabel("release u x (share of all resources)")
    figures.legend(figure, *axes[0, 0].get_legend_handles_labels(), columns=3, loc="outside upper center")
    return figure


if __name__ == "__main__":
    script(Homeostasis)
