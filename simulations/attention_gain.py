"""Does attention make synapses strengthen? A gain on one of two groups of inputs, plasticity on all of them.

Two groups of Poisson inputs with the same statistics drive one neuron, and STDP changes every synapse (the network:
plasticity.networks.two_groups). In each condition something singles out group 0, the attended one, by a factor of `gain`:

    attention      the rates of the attended group are multiplied by g
    equal_gain     both groups' rates are multiplied by g: more drive, no selection
    shuffled       every 0.5 s one group, drawn at random, is multiplied by g: at every moment the same gains as under
                   attention, but no group is the attended one for long
    redistributed  the attended group gets 2 g/(1 + g), the ignored one 2/(1 + g): the ratio of attention at a constant total rate
    learning_gate  the rates stay, the changes of the attended synapses are multiplied by g
    uncorrelated   attention, on inputs without fluctuations in common

Shuffled assignment is drawn again for every epoch, as a cue drawn at random in every trial would be. A drawing once for every
input would give both groups the same mean gain at every moment: then there is no gain on a group to be shuffled.

Mechanism. What a synapse of rate r gains by chance pairs of spikes goes with r, and so does what it gains because its own
spikes cause output spikes: r divides out of the balance, and a higher rate alone moves a synapse faster but not elsewhere. So
`uncorrelated` inputs show next to nothing (at most 0.012, in favour of the ignored group). Nor does `learning_gate`: it
multiplies potentiation and depression alike, which leaves the balance where it was and broadens the distribution of the
weights (standard deviation 0.19 instead of 0.12 at gain 4). What does not divide out is the fluctuation that a group has in
common: the share of the output's fluctuations which it causes goes with its rate times its weights, gain raises that share,
and STDP strengthens the group whose fluctuations precede the output spikes (Song & Abbott 2001; Guetig et al. 2003).

Choice of parameters. Time constants and A_minus/A_plus are those of Song, Miller & Abbott 2000. Background input holds the
neuron near threshold, so that it fires at gain 1 and its rate follows the drive smoothly. Soft bounds keep two equal groups
equal: with hard bounds one of them would win at random (Guetig et al. 2003). mu = 0.08 was chosen after runs with mu = 0.05,
where the difference at equal gain scattered twice as much between seeds (0.07 instead of 0.03) and the weights took longer to
settle; the effect was larger there (0.26 at gain 4). With mu = 0.05 the interval of `equal_gain` at gain 1.5 over seeds 0 to 9
missed 0 ([-0.078, -0.015]); over 160 other seeds the difference was 0.004 with a standard error of 0.005.

Limits. The effect saturates, as more drive also means more chance pairs. And its sign depends on the balance: where
depression prevails over weakly correlated inputs the faster group is depressed faster, and the attended group ends below the
ignored one, by 0.12 [0.09, 0.18] at gain 4 with `--set alpha=1.4 --set correlation=0.3 --set g_background=0 --set g_max=0.05`
(seeds 300 to 309).

All conditions of one seed share their random numbers, so that what scatters between seeds is much the same in each of them:
neighbouring points of a control are not independent evidence. Intervals are 95 % each for itself; the checks say where
p-values are corrected for the number of comparisons.

Sources: Song & Abbott 2001, doi:10.1016/S0896-6273(01)00451-2 (correlated groups compete under STDP); Guetig, Aharonov, Rotter &
Sompolinsky 2003, doi:10.1523/JNEUROSCI.23-09-03697.2003 (soft bounds mu, breaking of symmetry); Song, Miller & Abbott 2000,
doi:10.1038/78829 (neuron and rule); McAdams & Maunsell 1999, doi:10.1523/JNEUROSCI.19-01-00431.1999 (attention multiplies rates).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from plasticity.engine import Program, backend, program
from plasticity.errors import WrongUse
from plasticity.networks.two_groups import GROUPS, TwoGroups, build
from plasticity.parallel import Progress, each
from plasticity.rules import Landing, pair_stdp
from plasticity.settings import setting
from plasticity.statistics import PairedDifference, holm, interval, paired_difference
from simulations.simulation import Check, Outcome, Simulation, script

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from plasticity.records import Record

CONDITIONS = ("attention", "redistributed", "equal_gain", "shuffled", "learning_gate", "uncorrelated")
SELECTIVE = ("attention", "redistributed")  # must favour the attended group
CONTROLS = ("equal_gain", "shuffled")  # must not
OWN = "statement of this simulation"


@dataclass(frozen=True)
class AttentionGain(Simulation):
    __doc__ = __doc__

    name: ClassVar[str] = "attention_gain"
    summary: ClassVar[str] = "synapses under attention-gated input: mean weight of attended and ignored inputs against the gain"
    source: ClassVar[str] = "Song & Abbott 2001, doi:10.1016/S0896-6273(01)00451-2"
    uses: ClassVar[tuple[str, ...]] = ("pair_stdp", "lif_conductance", "poisson")

    inputs: int = setting(60, "inputs in each of the two groups", low=2, high=1000)
    gains: tuple[float, ...] = setting((1.0, 1.5, 2.0, 3.0, 4.0), "gains on the attended group, rising", low=1, high=10)
    duration_s: float = setting(150.0, "simulated time of a run; weights are averaged over its second half", "s", low=4, high=500)
    base_hz: float = setting(15.0, "mean rate of every input at gain 1", "Hz", low=0, high=100)
    correlation: float = setting(0.6, "fluctuation that a group's rates have in common, as a share of the rate", low=0, high=1)
    tau_c_ms: float = setting(10.0, "correlation time of that fluctuation", "ms", low=2, high=1000)
    A_plus: float = setting(0.01, "largest potentiation by one pair, as a share of the weight's range", low=0, high=1)
    alpha: float = setting(1.05, "A_minus/A_plus", low=0, high=10)
    mu: float = setting(0.08, "exponent of the soft bounds", low=0, high=1)
    w_start: float = setting(0.5, "weight of every synapse at the start", low=0, high=1)
    g_max: float = setting(0.006, "conductance of a synapse of weight 1, in units of the leak", low=0, high=1)
    g_background: float = setting(
        0.011, "conductance of each of the 5000 background spikes per second, in units of the leak", low=0, high=1
    )

    def network(self) -> TwoGroups:
        """What is compiled: the same for every gain, condition and seed."""
        rule = pair_stdp(A_plus=self.A_plus, A_minus=self.alpha * self.A_plus)
        return TwoGroups(self.inputs, rule=rule, landing=Landing(mu=self.mu))

    def conditions(self, condition: str, gain: float, seed: int) -> dict[str, Any]:
        """The inputs of the compiled network for one run."""
        spec = self.network()
        gains = np.ones((spec.epochs, GROUPS))
        learning = np.ones(GROUPS * self.inputs)
        if condition in ("attention", "uncorrelated"):
            gains[:, 0] = gain
        elif condition == "equal_gain":
            gains[:] = gain
        elif condition == "redistributed":
            gains[:] = 2 * gain / (1 + gain), 2 / (1 + gain)
        elif condition == "shuffled":
            chosen = np.random.default_rng([seed, 1]).integers(GROUPS, size=spec.epochs)
            gains[np.arange(spec.epochs), chosen] = gain
        elif condition == "learning_gate":
            learning[: self.inputs] = gain
        else:
            raise WrongUse(f"unknown condition {condition!r}; known: {', '.join(CONDITIONS)}.")
        return spec.values() | {
            "gain": gains,
            "learning": learning,
            "w": np.full(GROUPS * self.inputs, self.w_start),
            "base": self.base_hz,
            "correlation": 0.0 if condition == "uncorrelated" else self.correlation,
            "tau_c": self.tau_c_ms / 1000,
            "g_max": self.g_max,
            "g_background": self.g_background,
        }

    def one(self, compiled: Program, condition: str, gain: float, seed: int) -> dict[str, np.ndarray]:
        """One run: `history` (seconds, groups) mean weight, `weights` (groups, inputs) at the end, rates in hertz."""
        from brian2 import second

        found = compiled.run(seed, self.conditions(condition, gain, seed), duration=self.duration_s * second)
        history = found["w_history"].reshape(-1, GROUPS, self.inputs)
        return {
            "history": history.mean(axis=2),
            "weights": found["w"].reshape(GROUPS, self.inputs),
            "input_hz": found["input_spikes"].reshape(GROUPS, self.inputs).mean(axis=1) / self.duration_s,
            "output_hz": found["spikes"][0] / np.float64(self.duration_s),
        }

    def run(self, seeds: Sequence[int], jobs: int, progress: Progress) -> Outcome:
        if not self.gains or (np.diff(self.gains) <= 0).any():
            raise WrongUse(f"gains={self.gains} must rise, for example --set gains=1,2,4.")
        compiled = program(build, self.network().structure())
        grid = [(c, g, s) for c in CONDITIONS for g in self.gains for s in seeds]
        # at gain 1 nothing singles out a group, so that these conditions are one and the same run
        wanted = {key: ("attention", *key[1:]) if key[1] == 1 and key[0] != "uncorrelated" else key for key in grid}
        todo = sorted(set(wanted.values()))
        found = dict(each(lambda key, tell: self.one(compiled, *key), todo, jobs, progress))
        shape = (len(CONDITIONS), len(self.gains), len(seeds))
        arrays = {}
        for name in ("history", "weights", "input_hz", "output_hz"):
            stacked = np.stack([found[wanted[key]][name] for key in grid])
            arrays[name] = stacked.reshape(*shape, *stacked.shape[1:])
        arrays["mean_weight"] = second_half(arrays["history"])
        results, checks = judge(arrays, self.gains)
        numbers = {"conditions": list(CONDITIONS), "results": results}
        return Outcome(numbers, checks, arrays, backend())

    def figures(self, record: Record) -> dict[str, Figure]:
        from simulations import figures

        with figures.style():
            return {
                "dose_response": dose_response(record),
                "weights": mean_weights(record),
                "time_course": time_course(record),
                "distributions": distributions(record),
            }


def second_half(history: np.ndarray) -> np.ndarray:
    """The mean over the second half of the time axis, the one before the last: (..., seconds, groups) to (..., groups)."""
    return history[..., history.shape[-2] // 2 :, :].mean(axis=-2)


def judge(arrays: dict[str, np.ndarray], gains: Sequence[float]) -> tuple[list[dict[str, Any]], list[Check]]:
    """Numbers of each condition and gain, and whether the statements hold.

    Differences are attended minus ignored mean weight, one for each seed; intervals are 95 % BCa over seeds, each for itself.
    Where a statement speaks of several gains, p-values of the sign-flip test are corrected by Holm over all of them.

    Parameters
    ----------
    arrays : dict
        `mean_weight`, `input_hz` (conditions, gains, seeds, groups), `output_hz` (conditions, gains, seeds).
    gains : sequence of float
        The second axis.
    """
    attended, ignored = arrays["mean_weight"][..., 0], arrays["mean_weight"][..., 1]
    difference = attended - ignored
    found: dict[tuple[str, float], PairedDifference] = {}
    results = []
    for c, condition in enumerate(CONDITIONS):
        for g, gain in enumerate(gains):
            d = found[condition, gain] = paired_difference(attended[c, g], ignored[c, g])
            results.append(
                {
                    "condition": condition,
                    "gain": gain,
                    "difference": {"mean": d.mean, "low": d.low, "high": d.high, "p": d.p, "effect": d.effect},
                    "attended": float(attended[c, g].mean()),
                    "ignored": float(ignored[c, g].mean()),
                    "input_hz": arrays["input_hz"][c, g].mean(axis=0).tolist(),
                    "output_hz": float(arrays["output_hz"][c, g].mean()),
                }
            )

    checks = []
    if 1 in gains:
        d = found["attention", 1]
        holds = bool(d.low <= 0 <= d.high)
        checks.append(Check("difference at gain 1", "95 % interval contains 0", _text(d), "interval", OWN, holds))
    strong = [gain for gain in gains if gain >= 2]
    for condition in SELECTIVE:
        corrected = holm([found[condition, gain].p for gain in strong])
        for gain, p in zip(strong, corrected, strict=True):
            d = found[condition, gain]
            text = f"{_text(d)}, Holm p {p:.2g}"
            checks.append(Check(f"{condition}, gain {gain:g}", "95 % interval above 0", text, "interval", OWN, bool(d.low > 0)))
    if len(gains) > 1:
        for condition in SELECTIVE:
            values = difference[CONDITIONS.index(condition)]
            slopes = np.polyfit(np.log2(gains), values, 1)[0]
            low, high = interval(slopes)
            means = values.mean(axis=1)
            steps = ", ".join(f"{mean:.3f}" for mean in means)
            text = f"{slopes.mean():+.3f} [{low:+.3f}, {high:+.3f}]; mean at each gain {steps}"
            wanted = "slope per doubling of the gain above 0"
            checks.append(Check(f"{condition} grows with gain", wanted, text, "95 % interval", OWN, bool(low > 0)))
    above = [gain for gain in gains if gain > 1]
    family = [(condition, gain) for condition in CONTROLS for gain in above]
    p_family = dict(zip(family, holm([found[key].p for key in family]), strict=True))
    for condition in CONTROLS if above else ():
        inside = sum(bool(found[condition, gain].low <= 0 <= found[condition, gain].high) for gain in above)
        smallest = min(p_family[condition, gain] for gain in above)
        furthest = max((found[condition, gain] for gain in above), key=lambda d: abs(d.mean))
        text = f"95 % interval contains 0 at {inside} of {len(above)} gains, largest {_text(furthest)}"
        text += f", smallest Holm p {smallest:.2g}"
        wanted = f"no Holm p below 0.05 over the {len(family)} comparisons of {' and '.join(CONTROLS)}"
        checks.append(Check(f"{condition} favours no group", "0 at every gain above 1", text, wanted, OWN, bool(smallest > 0.05)))
    for condition in (*CONTROLS, "uncorrelated") if strong else ():
        excess = [
            paired_difference(difference[0, g], difference[CONDITIONS.index(condition), g])
            for g, gain in enumerate(gains)
            if gain >= 2
        ]
        least = min(excess, key=lambda d: d.low)
        text = f"smallest {_text(least)}"
        name = f"attention exceeds {condition}, gain >= 2"
        checks.append(Check(name, "95 % interval above 0 at every gain", text, "interval", OWN, all(d.low > 0 for d in excess)))
    total = arrays["input_hz"][CONDITIONS.index("redistributed")].sum(axis=-1).mean(axis=-1)  # (gains,)
    worst = float(np.abs(total / total[0] - 1).max())
    how = f"counted spikes: total input rate against gain {gains[0]:g}, largest relative deviation"
    checks.append(Check("redistributed keeps the total input rate", 0.0, worst, 0.01, how))
    return results, checks


def _text(d: PairedDifference) -> str:
    return f"{d.mean:+.3f} [{d.low:+.3f}, {d.high:+.3f}]"


# Figures

_COLOURS = {
    "attention": ("VERMILION", "-", "o"),
    "redistributed": ("BLUE", "-", "D"),
    "equal_gain": ("BLACK", "--", "v"),
    "shuffled": ("PURPLE", "-.", "^"),
    "learning_gate": ("ORANGE", "--", "s"),
    "uncorrelated": ("GREEN", ":", "P"),
}


def _results(record: Record, condition: str) -> list[dict[str, Any]]:
    return [row for row in record.numbers["results"] if row["condition"] == condition]


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _seeds(record: Record) -> str:
    return f"{record.arrays['mean_weight'].shape[2]} seeds"


def dose_response(record: Record) -> Figure:
    """The difference of mean weight, attended minus ignored, against the gain: one line for each condition."""
    from simulations import figures

    figure, axes = figures.new(7.0, 4.2)
    axis = axes[0, 0]
    axis.axhline(0, color=figures.GREY, linewidth=1, zorder=1)
    conditions = record.numbers["conditions"]
    for place, condition in enumerate(conditions):
        rows = _results(record, condition)
        colour, line, marker = _COLOURS[condition]
        gain = np.array([row["gain"] for row in rows]) + 0.03 * (place - (len(conditions) - 1) / 2)  # side by side
        mean, low, high = (np.array([_number(row["difference"][key]) for row in rows]) for key in ("mean", "low", "high"))
        colour, label = getattr(figures, colour), condition.replace("_", " ")
        axis.plot(gain, mean, color=colour, linestyle=line, marker=marker, markersize=5, label=label, zorder=3)
        axis.vlines(gain, low, high, color=colour, linewidth=1.5, zorder=2)
    axis.set_xticks([row["gain"] for row in _results(record, conditions[0])])
    axis.set_xlabel("gain g (no unit)")
    axis.set_ylabel("mean weight, attended minus ignored (no unit)")
    axis.set_title(f"mean and 95 % interval over {_seeds(record)}", loc="left")
    figure.legend(loc="outside right upper")
    return figure


_GROUPS = (("attended", "VERMILION", "-", "o"), ("ignored", "BLUE", "--", "s"))


def mean_weights(record: Record) -> Figure:
    """Mean weight of each group against the gain, one panel for each condition."""
    from plasticity.statistics import interval
    from simulations import figures

    conditions = record.numbers["conditions"]
    figure, axes = figures.new(7.5, 4.6, rows=2, columns=3, sharex=True, sharey=True)
    for c, (condition, axis) in enumerate(zip(conditions, axes.flat, strict=True)):
        gains = [row["gain"] for row in _results(record, condition)]
        for k, (label, colour, line, marker) in enumerate(_GROUPS):
            values = record.arrays["mean_weight"][c, :, :, k]  # (gains, seeds)
            low, high = np.array([interval(row) for row in values]).T
            colour = getattr(figures, colour)
            axis.plot(gains, values.mean(axis=1), color=colour, linestyle=line, marker=marker, markersize=4, label=label)
            axis.vlines(gains, low, high, color=colour)
        axis.set_title(condition.replace("_", " "), loc="left")
        axis.set_ylim(0, 1)
        axis.set_xticks(gains)
    for axis in axes[1]:
        axis.set_xlabel("gain g (no unit)")
    for axis in axes[:, 0]:
        axis.set_ylabel("mean weight (no unit)")
    figures.caption(figure, figures.over_seeds(record.arrays["mean_weight"].shape[2]))
    axes[0, 0].legend(loc="lower left")
    return figure


def time_course(record: Record) -> Figure:
    """Mean weight of each group over time under attention, one panel for each gain."""
    from simulations import figures

    history = record.arrays["history"][record.numbers["conditions"].index("attention")]  # (gains, seeds, seconds, groups)
    gains = [row["gain"] for row in _results(record, "attention")]
    figure, axes = figures.new(max(4.0, 1.9 * len(gains)), 2.8, columns=len(gains), sharey=True)
    seconds = np.arange(history.shape[2])
    for axis, gain, curves in zip(axes[0], gains, history, strict=True):
        for k, (label, colour, line, _) in enumerate(_GROUPS):
            colour = getattr(figures, colour)
            for curve in curves[:, :, k]:
                axis.plot(seconds, curve, color=colour, linewidth=0.4, alpha=0.4)
            axis.plot(seconds, curves[:, :, k].mean(axis=0), color=colour, linestyle=line, linewidth=2, label=label)
        axis.set_title(f"gain {gain:g}", loc="left")
        axis.set_xlabel("time (s)")
        axis.set_ylim(0, 1)
    axes[0, 0].set_ylabel("mean weight (no unit)")
    axes[0, 0].legend(title=f"thin: each of {_seeds(record)},\nthick: their mean", title_fontsize=7, loc="lower left")
    return figure


def distributions(record: Record) -> Figure:
    """Histograms of the weights at the end, all seeds together, under attention and at equal gain."""
    from simulations import figures

    conditions, shown = record.numbers["conditions"], ("attention", "equal_gain")
    gains = [row["gain"] for row in _results(record, "attention")]
    figure, axes = figures.new(max(4.0, 1.9 * len(gains)), 4.2, rows=2, columns=len(gains), sharex=True, sharey=True)
    edges = np.linspace(0, 1, 21)
    for row, condition in zip(axes, shown, strict=True):
        for axis, gain, weights in zip(row, gains, record.arrays["weights"][conditions.index(condition)], strict=True):
            for k, (label, colour, line, _) in enumerate(_GROUPS):  # weights: (seeds, groups, inputs)
                share = np.histogram(weights[:, k], edges)[0] / weights[:, k].size
                axis.stairs(share, edges, color=getattr(figures, colour), linestyle=line, linewidth=1.5, label=label)
            axis.set_title(f"{condition.replace('_', ' ')}, g = {gain:g}", loc="left", fontsize=8)
        row[0].set_ylabel("share of synapses")
    for axis in axes[1]:
        axis.set_xlabel("weight at the end")
    axes[0, 0].legend(loc="upper left")
    return figure


if __name__ == "__main__":
    script(AttentionGain)
