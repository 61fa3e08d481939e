"""Pairs of spikes at five frequencies under the voltage-based rule: the curve of Clopath et al. 2010 against visual cortex.

Protocol, as in the authors' program. Bursts of 5 pairs at 10, 20, 40 and 50 Hz, 15 of them, one every 10 s; at 0.1 Hz 50 pairs,
one every 10 s. The lag t_post - t_pre is +10 ms or -10 ms. A presynaptic spike changes nothing but the synapse. A postsynaptic
one is forced by a current of 1 uA for one step of 1 ms. The weight starts at 0.5, has no bounds, and is given in % of its start.

Order of operations in a step t, which the curve depends on as one step is 1 ms:

    u(t)       the neuron, one Euler step (plasticity.neurons.forced_spike); a spike begins in the step of its current
    w          -= A_LTD X(t) [ubar_-(t - 3) - theta_-]+,  += dt A_LTP xbar(t) [u(t) - theta_+]+ [ubar_+(t - 3) - theta_-]+
    ubar, xbar (t + 1) = (1 - dt/tau) (t) + dt/tau u(t), or + X(t)/tau: what happens in a step is seen from the next one on

Lateness. The authors' program, not the paper, reads both low-passes 3 steps late, so that no spike sees itself. Here the neuron
passes on its potential of 3 steps ago, and the rule follows that (`plasticity.rules.voltage_stdp.late`): the same numbers.

Three things in the authors' program that a reader of the paper would not expect; the curve needs the first two:

    six spikes      at -10 ms each burst of 5 presynaptic spikes comes with 6 postsynaptic ones: another follows the last
                    presynaptic spike after the rest of the interval, and potentiates. (The very first one of all is lost.)
    adaptation b    is stated as 0.0805 nA and added to a current in pA: there is next to no adaptation
    spike shape     29.4, 32.862 and -49.5016 mV in three steps, which stand for an upswing simulated at a finer resolution

`as_in_the_paper` in the numbers, and thin lines in the figure, show what the first two do. With five spikes on each side, or with
b = 80.5 pA, some points are more than 1.3 standard errors from the measured ones (up to 1.6 and 2.5).

Pair rule. Beside it pair STDP with the best amplitudes for these data (non-negative least squares). At +10 ms it is flat in
frequency, where the measured weight rises by 60 points. At -10 ms it is not: it rises by 25 points (measured: 104), as at 50 Hz a
postsynaptic spike is 10 ms after a presynaptic one too.

Window. The same bursts at 20 Hz over the lag, five spikes on each side; the paper's fig. 2a is at 20 Hz too. Spikes are 50 ms
apart, so that a lag beyond 25 ms is a shorter one to the neighbouring pair. The steps left of 0 come from the lateness.

Limits. Nothing is random. The steps of 1 ms are part of the model: the spike has three values, not a course in time.

Sources: Clopath, Buesing, Vasilaki & Gerstner 2010, doi:10.1038/nn.2479, with ModelDB 144566; Sjoestroem, Turrigiano & Nelson
2001, doi:10.1016/S0896-6273(01)00542-6.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import Equations, Network, NeuronGroup, Quantity, StateMonitor, defaultclock, ms, nA
from brian2.utils.stringtools import word_substitute
from scipy.optimize import nnls

from plasticity import published
from plasticity.engine import Model, backend, program
from plasticity.errors import WrongUse
from plasticity.neurons import adex_clopath, forced_spike
from plasticity.parallel import Progress
from plasticity.protocols import UNBOUNDED
from plasticity.rules import Rule, pair_stdp, voltage_stdp
from plasticity.rules.voltage_stdp import late
from plasticity.settings import setting
from simulations.simulation import Check, Outcome, Simulation, script

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from plasticity.records import Record

PAPER = "Clopath, Buesing, Vasilaki & Gerstner 2010, doi:10.1038/nn.2479"
W_START = 0.5
PULSE = 1000 * nA
FIRST_STEP = 3  # of the protocol, counted from 0: the authors' program begins with its fourth step
PAUSE = 10_000  # steps from burst to burst
VARIANTS = ("authors", "five_pairs", "adaptation")  # the authors' program; five spikes on each side; b as the paper states it
WATCHED = 0.3  # s of one burst at 20 Hz that are recorded

# Weight in % at the five frequencies, +10 ms, then -10 ms: computed once from the authors' program by another program.
GOLDEN = (100.0, 102.9, 115.7, 146.3, 165.0, 71.7, 59.6, 60.5, 117.8, 173.6)


@dataclass(frozen=True)
class Schedule:
    """When one side of a synapse spikes: `number` spikes every `interval` steps from step `first` of each of the bursts.

    Times are steps of 1 ms of the protocol; what would be before FIRST_STEP is lost.
    """

    first: int
    interval: int
    number: int
    period: int
    bursts: int

    def steps(self) -> np.ndarray:
        """The steps of all spikes, counted from the start of the simulation."""
        burst = self.first + self.interval * np.arange(self.number)
        every = (self.period * np.arange(self.bursts)[:, None] + burst).ravel() - FIRST_STEP
        return every[every >= 0]


def bursts(
    lag_ms: int, frequency_hz: float, extra: bool = False, pause: int = PAUSE, repetitions: int | None = None
) -> tuple[Schedule, Schedule]:
    """Pre- and postsynaptic spikes of the protocol: five on each side, or with `extra` those of the authors' program.

    Those are six postsynaptic ones at a negative lag, of which the very first is lost.
    """
    interval, pairs = round(1000 / frequency_hz), 5
    start = abs(lag_ms) + (0 if extra else FIRST_STEP)
    length = pairs * interval + abs(lag_ms) + 1
    n = repetitions or (10 if frequency_hz == 0.1 else 15)
    pre = Schedule(start, interval, pairs, max(pause, length), n)
    return pre, dataclasses.replace(pre, first=start + lag_ms, number=pairs + (extra and lag_ms < 0))


# The network


@dataclass(frozen=True)
class Pairing:
    """What is compiled: how many synapses, which of them are recorded, how long a run may be."""

    synapses: int
    watched: tuple[int, ...]
    steps: int
    rule: Rule = dataclasses.field(default_factory=late)
    dt: Quantity = dataclasses.field(default_factory=lambda: 1 * ms)


_DUE = """
    at = t_in_timesteps + first_step : integer
    inside = at % period - first : integer
    due = at < period*bursts and inside >= 0 and inside < number*interval and inside % interval == 0 : boolean
    first_step : integer (shared, constant)
    """ + "\n".join(f"{field.name} : integer (constant)" for field in dataclasses.fields(Schedule))


def counted_in_the_next_step(equations: Equations, variables: Any = None, method_options: Any = None) -> str:
    """Euler's method for a trace that sees a spike, held in `heard`, from the next time step on, undecayed."""
    slopes = {name: expression.code for name, expression in equations.get_substituted_expressions(variables)}
    return "\n".join([*(f"{name} += dt*({slope}) + heard" for name, slope in slopes.items()), "heard = 0"])


def build(spec: Pairing) -> Model:
    """Independent pairs of neurons, one synapse each, that spike by their schedules.

    Inputs per run, one value for each synapse: the numbers of `Schedule` as `pre.first` and so on, `b` (ampere); `A_LTD` (per
    volt) and `A_LTP` (per volt squared) of all. Outputs: `w`, and of the watched synapses (steps, synapses) `v`, `u_minus`
    and `u_plus` (volt, above theta_minus) and `w_watched`, each at the end of its step.
    """
    defaultclock.dt = spec.dt
    n, rule = spec.synapses, spec.rule
    pre_equations, pre_spike, pre_values = rule.neuron_traces("pre")
    post_equations, post_spike, post_values = rule.neuron_traces("post")
    heard = word_substitute(pre_spike, {trace.name: "heard" for trace in rule.side("pre")})
    source = NeuronGroup(
        n,
        f"{pre_equations}\nheard : 1\n{_DUE}",
        threshold="due",
        reset=heard,
        method=counted_in_the_next_step,
        name="source",
        namespace={},
    )
    target = adex_clopath.group(
        n,
        "target",
        current="int(due)*pulse/g_L",
        equations=f"{post_equations}\npulse : amp (shared, constant)\n{_DUE}",
        reset=post_spike,
        values=post_values | {"pulse": PULSE, "first_step": FIRST_STEP},
        method=forced_spike,
        namespace={},
    )
    for name, value in (pre_values | {"first_step": FIRST_STEP}).items():
        setattr(source, name, value)
    for group in (source, target):
        group.interval = group.period = 1
    plastic = rule.synapses(source, target, landing=UNBOUNDED, traces="neuron", name="plastic", namespace={})
    plastic.connect(i=np.arange(n), j=np.arange(n))
    plastic.w = W_START
    variables = ["v", "post_u_minus", "post_u_plus"]
    cells = StateMonitor(target, variables, record=list(spec.watched), when="end", order=9, name="cells")
    weights = StateMonitor(plastic, "w", record=list(spec.watched), when="end", order=9, name="weights")
    inputs: dict[str, Any] = {"b": target.b, "A_LTD": plastic.A_LTD, "A_LTP": plastic.A_LTP}
    for side, group in (("pre", source), ("post", target)):
        inputs |= {f"{side}.{field.name}": getattr(group, field.name) for field in dataclasses.fields(Schedule)}
    outputs = {
        "w": plastic.w,
        "v": cells.state("v"),
        "u_minus": cells.state("post_u_minus"),
        "u_plus": cells.state("post_u_plus"),
        "w_watched": weights.state("w"),
    }
    return Model(Network(source, target, plastic, cells, weights), spec.steps * spec.dt, inputs, outputs)


def schedules(pairs: Sequence[tuple[Schedule, Schedule]]) -> dict[str, np.ndarray]:
    """Pre- and postsynaptic schedules as inputs of the network."""
    return {
        f"{side}.{field.name}": np.array([getattr(pair[k], field.name) for pair in pairs])
        for k, side in enumerate(("pre", "post"))
        for field in dataclasses.fields(Schedule)
    }


# The simulation


@dataclass(frozen=True)
class VoltageStdp(Simulation):
    __doc__ = __doc__

    name: ClassVar[str] = "voltage_stdp"
    summary: ClassVar[str] = (
        "bursts of five pairs at .1 to 50 Hz: the voltage-based rule and the best pair rule against visual cortex"
    )
    source: ClassVar[str] = f"{PAPER}; data of Sjoestroem, Turrigiano & Nelson 2001, doi:10.1016/S0896-6273(01)00542-6"
    default_seeds: ClassVar[int] = 1  # nothing is drawn at random
    uses: ClassVar[tuple[str, ...]] = ("voltage_stdp", "adex_clopath", "pair_stdp")

    A_LTD: float = setting(1.4e-4, "amplitude of depression", "per mV", low=0, high=1)
    A_LTP: float = setting(8e-5, "amplitude of potentiation", "per mV squared", low=0, high=1)
    b_pA: float = setting(
        0.0805, "spike-triggered adaptation as the authors' program has it; the paper: 80.5", "pA", low=0, high=1000
    )
    window_hz: float = setting(20.0, "pairs in a second for the window over the lag", "Hz", low=1, high=100)
    longest_lag_ms: int = setting(50, "the window goes from minus to plus this", "ms", low=1, high=1000)

    def __post_init__(self) -> None:
        if abs(1000 / self.window_hz - round(1000 / self.window_hz)) > 1e-9:
            raise WrongUse(
                f"window_hz={self.window_hz:g} does not fit a whole number of ms between pairs; set 20 or 25, for example."
            )

    def run(self, seeds: Sequence[int], jobs: int, progress: Progress) -> Outcome:
        table = published.sjoestroem_2001()
        lags, rates = table["lag_ms"].astype(int), table["frequency_hz"]
        points = list(zip(lags.tolist(), rates.tolist(), strict=True))
        window = np.arange(-self.longest_lag_ms, self.longest_lag_ms + 1)
        protocols = [bursts(lag, rate, extra) for extra in (True, False, True) for lag, rate in points]
        protocols += [bursts(int(lag), self.window_hz) for lag in window]
        b_pA = np.full(len(protocols), self.b_pA)
        b_pA[2 * len(points) : 3 * len(points)] = float(adex_clopath.parameters["b"]) * 1e12
        watched = tuple(points.index((lag, 20.0)) + len(points) for lag in (10, -10))
        longest = max(pair[0].period * pair[0].bursts for pair in protocols) - FIRST_STEP
        spec = Pairing(len(protocols), watched, longest)
        inputs = schedules(protocols) | {"b": b_pA * 1e-12, "A_LTD": self.A_LTD * 1e3, "A_LTP": self.A_LTP * 1e6}
        found = program(build, spec).run(0, inputs, progress=lambda fraction: progress(0.95 * fraction))

        percent = 100 * found["w"] / W_START
        ours = dict(zip(VARIANTS, percent[: 3 * len(points)].reshape(3, -1), strict=True))
        pair, amplitudes = best_pair_rule(protocols[: len(points)], table["change"], table["sem"])
        data, sem = 100 + 100 * table["change"], 100 * table["sem"]
        distances = {name: (values - data) / sem for name, values in {**ours, "pair_rule": pair}.items()}
        errors = {name: float(np.mean(distance**2)) for name, distance in distances.items()}
        progress(1.0)
        steps = round(WATCHED * 1000)
        arrays = {
            "lag_ms": lags, "frequency_hz": rates, "data": data, "sem": sem, **ours, "pair_rule": pair,
            "window_lag_ms": window, "window": percent[3 * len(points) :],
            **{name: found[name][:steps] for name in ("v", "u_minus", "u_plus", "w_watched")},
        }  # fmt: skip
        numbers = {
            "plus_10_ms": ours["authors"][lags > 0].tolist(),
            "minus_10_ms": ours["authors"][lags < 0].tolist(),
            "as_in_the_paper": {name: ours[name].tolist() for name in VARIANTS[1:]},
            "pair_rule": pair.tolist(),
            "pair_rule_amplitudes": amplitudes,
            "error": errors,
            "largest_distance_sem": {name: float(np.abs(distance).max()) for name, distance in distances.items()},
        }
        return Outcome(numbers, judge(points, ours["authors"], data, sem, pair, errors), arrays, backend())

    def figures(self, record: Record) -> dict[str, Figure]:
        from simulations import figures

        with figures.style():
            return {"frequency": frequency(record), "burst": burst(record), "window": window_figure(record)}


def best_pair_rule(
    protocols: Sequence[tuple[Schedule, Schedule]], change: np.ndarray, sem: np.ndarray
) -> tuple[np.ndarray, dict[str, float]]:
    """Weights in % under pair STDP with the amplitudes of least squared error in units of sem, by its closed form."""
    trains = [(pre.steps() / 1000, post.steps() / 1000) for pre, post in protocols]
    parts = np.array([[pair_stdp(A_plus=up, A_minus=1 - up).change(*pair) for up in (1, 0)] for pair in trains])
    amplitudes, _ = nnls(parts / sem[:, None], change / sem)
    return 100 + 100 * parts @ amplitudes, {"A_plus": float(amplitudes[0]), "A_minus": float(amplitudes[1])}


def judge(
    points: Sequence[tuple[int, float]],
    ours: np.ndarray,
    data: np.ndarray,
    sem: np.ndarray,
    pair: np.ndarray,
    errors: dict[str, float],
) -> list[Check]:
    """Each point beside the authors' curve and beside the measurement; the pair rule as a control."""
    checks = []
    labels = [f"{lag:+d} ms, {rate:g} Hz" for lag, rate in points]
    for label, golden, value in zip(labels, GOLDEN, ours, strict=True):
        checks.append(Check(f"{label}: weight (%)", golden, float(value), 6.0, f"authors' program (ModelDB 144566), {PAPER}"))
    measured = published.sjoestroem_2001().source
    for label, value, point, error in zip(labels, ours, data, sem, strict=True):
        # 1.3 standard errors: the largest distance of the authors' own curve, that of -10 ms at 40 Hz, is 1.2
        checks.append(Check(f"{label}: weight (%), measured", float(point), float(value), round(1.3 * float(error), 6), measured))
    positive = [k for k, (lag, _) in enumerate(points) if lag > 0]
    first, last = positive[0], positive[-1]
    rises = {name: float(curve[last] - curve[first]) for name, curve in (("data", data), ("ours", ours), ("pair", pair))}
    text = f"flat, where the measured weight rises by {rises['data']:.0f} points"
    title = f"control, pair rule: rise from {labels[first]} to {labels[last]} (points)"
    passed = abs(rises["pair"]) <= 6
    checks.append(
        Check(title, text, f"{rises['pair']:+.1f}; voltage rule {rises['ours']:+.1f}", "within 6 points", measured, passed)
    )
    ratio = f"{errors['pair_rule']:.2f} against {errors['authors']:.2f}"
    title = "control: mean squared distance from the data in sem, best pair rule against voltage rule"
    worse = errors["pair_rule"] > 3 * errors["authors"]
    checks.append(Check(title, "the pair rule does not fit", ratio, "more than 3 times as far", measured, worse))
    return checks


def frequency(record: Record) -> Figure:
    """Weight over the frequency of pairs: rule, data, and what the paper's text would give."""
    from simulations import figures

    a = record.arrays
    figure, axes = figures.new(8.4, 3.8, columns=2, sharey=True)
    for axis, sign, colour, title in (
        (axes[0, 0], 1, figures.BLUE, "pre before post"),
        (axes[0, 1], -1, figures.VERMILION, "post before pre"),
    ):
        side = np.sign(a["lag_ms"]) == sign
        x = a["frequency_hz"][side]
        axis.axhline(100, color=figures.GREY, linewidth=0.8)
        axis.plot(x, a["authors"][side], "o-", color=colour, markersize=4, label="voltage rule, authors' protocol")
        if sign < 0:  # at a positive lag the same
            axis.plot(x, a["five_pairs"][side], ":", color=figures.PURPLE, label="five postsynaptic spikes, not six")
        axis.plot(x, a["adaptation"][side], "-.", color=figures.GREEN, linewidth=1.1, label="adaptation b = 80.5 pA")
        axis.plot(x, a["pair_rule"][side], "--", color=figures.ORANGE, label="best pair rule")
        axis.errorbar(
            x,
            a["data"][side],
            a["sem"][side],
            fmt="s",
            color=figures.BLACK,
            markersize=4,
            capsize=3,
            label="measured, mean and sem",
        )
        axis.set_title(f"{title}, {10 * sign:+d} ms".replace("-", "\N{MINUS SIGN}"), loc="left")
        axis.set_xlabel("frequency of pairs (Hz)")
        axis.set_ylim(20, 240)
        axis.legend(loc="upper left")
    axes[0, 0].set_ylabel("weight after the protocol (% of start)")
    return figure


def burst(record: Record) -> Figure:
    """Membrane, low-passes and weight during the first burst at 20 Hz."""
    from simulations import figures

    a = record.arrays
    p = voltage_stdp.parameters
    low, high = (float(p[name]) * 1e3 for name in ("theta_minus", "theta_plus"))
    time = np.arange(len(a["v"])) + FIRST_STEP
    figure, axes = figures.new(8.4, 6.0, rows=3, columns=2, sharex=True, sharey="row")
    for k, lag in enumerate((10, -10)):
        pre, post = (side.steps() + FIRST_STEP for side in bursts(lag, 20.0))
        top, middle, bottom = axes[:, k]
        top.plot(time, 1e3 * a["v"][:, k], color=figures.BLACK, linewidth=1)
        top.axhline(high, color=figures.GREY, linestyle="--", linewidth=1, label="$\\theta_+$")
        for times, height, colour, marker, text in (
            (pre, 62, figures.BLUE, "v", "presynaptic spike"),
            (post, 62, figures.VERMILION, "^", "postsynaptic current"),
        ):
            inside = times[times < time[-1]]
            top.plot(inside, np.full(len(inside), height), marker, color=colour, markersize=5, label=text)
        top.set_ylim(-80, 125)
        top.set_title(f"lag {lag:+d} ms, 20 Hz, first burst".replace("-", "\N{MINUS SIGN}"), loc="left")
        for name, colour, line, text in (
            ("u_minus", figures.VERMILION, "-", "$\\bar u_-$"),
            ("u_plus", figures.BLUE, "-.", "$\\bar u_+$"),
        ):
            middle.plot(time, 1e3 * a[name][:, k] + low, line, color=colour, linewidth=1.2, label=text)
        middle.axhline(low, color=figures.GREY, linestyle="--", linewidth=1, label="$\\theta_-$")
        bottom.plot(time, 100 * a["w_watched"][:, k] / W_START, color=figures.GREEN)
        bottom.axhline(100, color=figures.GREY, linewidth=0.8)
        bottom.set_xlabel("time (ms)")
    figures.caption(
        figure,
        "simulated here with five spikes on each side; at \N{MINUS SIGN}10 ms the authors' program has six postsynaptic ones",
    )
    axes[0, 0].set_ylabel("membrane (mV)")
    axes[1, 0].set_ylabel("low-passes, 3 ms late (mV)")
    axes[2, 0].set_ylabel("weight (% of start)")
    axes[1, 0].set_ylim(-75, -15)
    for axis in (axes[0, 0], axes[1, 0]):
        axis.legend(loc="upper right", ncols=3, columnspacing=1.2, handletextpad=0.5, handlelength=1.6)
    return figure


def window_figure(record: Record) -> Figure:
    """Weight over the lag of the pairs at one frequency."""
    from simulations import figures

    a, chosen = record.arrays, record.configuration["settings"]
    figure, axes = figures.new(5.6, 3.6)
    axis = axes[0, 0]
    axis.axhline(100, color=figures.GREY, linewidth=0.8)
    axis.axvline(0, color=figures.GREY, linewidth=0.8)
    axis.plot(a["window_lag_ms"], a["window"], ".-", markersize=4, linewidth=1, color=figures.BLUE, label="voltage rule")
    at = (a["frequency_hz"] == chosen["window_hz"]) & (np.abs(a["lag_ms"]) <= chosen["longest_lag_ms"])
    if at.any():
        axis.errorbar(
            a["lag_ms"][at],
            a["data"][at],
            a["sem"][at],
            fmt="s",
            color=figures.BLACK,
            markersize=4,
            capsize=3,
            label="measured, sem",
        )
    axis.set_xlabel("lag $t_\\mathrm{post} - t_\\mathrm{pre}$ (ms)")
    axis.set_ylabel("weight after 15 bursts (% of start)")
    axis.set_title(f"five pairs at {chosen['window_hz']:g} Hz, 15 times", loc="left")
    axis.legend()
    return figure


if __name__ == "__main__":
    script(VoltageStdp)
