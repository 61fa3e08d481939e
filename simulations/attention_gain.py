"""What does attention do to synapses under STDP? A gain on one of two groups of inputs, plasticity on all of them.

Two groups of Poisson inputs with the same statistics drive one neuron, and STDP changes every synapse (the network:
plasticity.networks.two_groups). In each condition something singles out group 0, the attended one, by a factor of `gain`:

    attention      the rates of the attended group are multiplied by g, their common fluctuation with them
    mean_only      the mean rate alone is multiplied by g: the common fluctuation stays, the noise correlation falls
    equal_gain     both groups' rates are multiplied by g: more drive, no selection
    shuffled       every 0.5 s one group, drawn at random, is multiplied by g: at every moment the same gains as under
                   attention, but no group is the attended one for long
    redistributed  the attended group gets 2 g/(1 + g), the ignored one 2/(1 + g): the ratio of attention at a constant total rate
    learning_gate  the rates stay, the changes of the attended synapses are multiplied by g
    uncorrelated   attention, on inputs without fluctuations in common

What it says. Under `attention` the attended synapses end above the ignored ones, and they do so because the ignored ones are
depressed: those fall far more than the attended ones rise. The sign is that of the change in noise correlation: a gain on the
mean alone, which lowers it as attention does in V4 (Cohen & Maunsell 2009), turns it, and the attended synapses end below the
ignored ones. `plasticity run attention_map` has the whole plane of gain and fluctuation, a theory, and other rules.

Shuffled assignment is drawn again for every epoch, as a cue drawn at random in every trial would be. A drawing once for every
input would give both groups the same mean gain at every moment: then there is no gain on a group to be shuffled.

Mechanism. What a synapse of rate r gains by chance pairs of spikes goes with r, and so does what it gains because its own
spikes cause output spikes: r divides out of the balance, and a higher rate alone moves a synapse faster but not elsewhere. So
`uncorrelated` inputs show next to nothing. Nor does `learning_gate`: it multiplies potentiation and depression alike, which
leaves the balance where it was and broadens the distribution of the weights. What does not divide out is the covariance that a
group has in common: per spike it is (fluctuation)^2/gain times what it was, g under `attention` and 1/g under `mean_only`, and
STDP strengthens the group whose fluctuations precede the output spikes (Song & Abbott 2001; Guetig et al. 2003).

Choice of parameters. Time constants and A_minus/A_plus are those of Song, Miller & Abbott 2000. Background input holds the
neuron near threshold, so that it fires at about 11 Hz at gain 1 and its rate follows the drive smoothly. Soft bounds keep two
equal groups equal: with hard bounds one of them would win at random (Guetig et al. 2003).

Time step. dt_ms = 0.5 is converged: rates and weights of half of it lie within their intervals (a test says so). Why a neuron
near threshold needs care there: plasticity.networks.two_groups.

Limits. Gains of 2 and more are far above physiology (V4: +26 %, McAdams & Maunsell 1999); at 1.5 the difference is +0.06 under
`attention` and -0.03 under `mean_only`. The effect saturates, as more drive also means more chance pairs.

All conditions of one seed share their random numbers, so that what scatters between seeds is much the same in each of them:
neighbouring points of a control are not independent evidence. Intervals are 95 % each for itself; the checks say where
p-values are corrected for the number of comparisons.

Sources: Song & Abbott 2001, doi:10.1016/S0896-6273(01)00451-2 (correlated groups compete under STDP); Guetig, Aharonov, Rotter &
Sompolinsky 2003, doi:10.1523/JNEUROSCI.23-09-03697.2003 (soft bounds mu, breaking of symmetry); Song, Miller & Abbott 2000,
doi:10.1038/78829 (neuron and rule); McAdams & Maunsell 1999, doi:10.1523/JNEUROSCI.19-01-00431.1999 (attention multiplies rates);
Cohen & Maunsell 2009, doi:10.1038/nn.2439 (attention lowers noise correlations).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import ms, second

from plasticity.engine import Program
from plasticity.errors import WrongUse
from plasticity.networks.two_groups import GROUPS, SINGLED_OUT, TwoGroups
from plasticity.rules import Landing, pair_stdp
from plasticity.settings import setting
from plasticity.statistics import PairedDifference, holm, interval, late_mean, least_p, paired_difference, told_p
from simulations.figures.attention_gain import distributions, dose_response, time_course, weights
from simulations.frame.checks import Check, beyond, near, no_difference
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure, Session, Table, stack
from simulations.frame.shown import told

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

SELECTIVE = ("attention", "redistributed")  # favour the attended group; `mean_only` favours the ignored one
CONTROLS = ("equal_gain", "shuffled")  # neither
CONDITIONS = (*SINGLED_OUT, "uncorrelated")
OWN = "statement of this simulation"


def of(condition: str, name: str) -> tuple[str | Mapping[str, Any], ...]:
    """Where a number of a condition at the highest gain lies."""
    return "results", {"condition": condition}, name


@dataclass(frozen=True)
class AttentionGain(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "attention_gain"
    summary: ClassVar[str] = "synapses under attention-gated input: mean weight of attended and ignored inputs against the gain"
    source: ClassVar[str] = "Song & Abbott 2001, doi:10.1016/S0896-6273(01)00451-2"
    uses: ClassVar[tuple[str, ...]] = ("pair_stdp", "lif_conductance", "poisson")
    short: ClassVar[Mapping[str, Any]] = {"gains": (3.0,), "duration_s": 20.0}
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "difference", "", "mean weight, attended minus ignored inputs, at the highest gain", of("attention", "difference")
        ),
        Measure("difference_equal_gain", "", "the same where both groups have the gain", of("equal_gain", "difference")),
        Measure("difference_shuffled", "", "the same where the gain is on a group drawn at random", of("shuffled", "difference")),
        Measure("attended", "", "mean weight of attended inputs at the highest gain", of("attention", "attended")),
        Measure("ignored", "", "mean weight of ignored inputs there", of("attention", "ignored")),
        Measure("output_hz", "Hz", "rate of the neuron there", of("attention", "output_hz")),
    )

    inputs: int = setting(60, "inputs in each of the two groups", low=2, high=1000)
    gains: tuple[float, ...] = setting((1.0, 1.5, 2.0, 3.0, 4.0), "gains on the attended group, rising", low=1, high=10)
    duration_s: float = setting(100.0, "simulated time of a run; weights are averaged over its second half", "s", low=4, high=500)
    base_hz: float = setting(15.0, "mean rate of every input at gain 1", "Hz", low=0, high=100)
    correlation: float = setting(0.6, "fluctuation that a group's rates have in common, as a share of the rate", low=0, high=1)
    tau_c_ms: float = setting(10.0, "correlation time of that fluctuation", "ms", low=2, high=1000)
    A_plus: float = setting(0.01, "largest potentiation by one pair, as a share of the weight's range", low=0, high=1)
    alpha: float = setting(1.05, "A_minus/A_plus", low=0, high=10)
    mu: float = setting(0.08, "exponent of the soft bounds", low=0, high=1)
    w_start: float = setting(0.5, "weight of every synapse at the start", low=0, high=1)
    g_max: float = setting(0.0066, "conductance of a synapse of weight 1, in units of the leak", low=0, high=1)
    g_background: float = setting(
        0.0121, "conductance of each of the 5000 background spikes per second, in units of the leak", low=0, high=1
    )
    dt_ms: float = setting(0.5, "time step", "ms", low=0.01, high=2)

    def refuse(self) -> None:
        if not self.gains or (np.diff(self.gains) <= 0).any():
            raise WrongUse(f"gains={self.gains} must rise, for example --set gains=1,2,4.")

    def network(self) -> TwoGroups:
        """What is compiled: the same for every gain, condition and seed."""
        rule = pair_stdp(A_plus=self.A_plus, A_minus=self.alpha * self.A_plus)
        return TwoGroups(self.inputs, rule=rule, landing=Landing(mu=self.mu), dt=self.dt_ms * ms)

    def run_inputs(self, condition: str, gain: float, seed: int) -> dict[str, Any]:
        """The inputs of one run."""
        how, correlation = ("attention", 0.0) if condition == "uncorrelated" else (condition, self.correlation)
        w = np.full(GROUPS * self.inputs, self.w_start)
        given = {"w": w, "base": self.base_hz, "correlation": correlation, "tau_c": self.tau_c_ms / 1000}
        return self.network().singled_out(how, gain, seed) | given | {"g_max": self.g_max, "g_background": self.g_background}

    def one(self, program: Program, condition: str, gain: float, seed: int) -> dict[str, np.ndarray]:
        """One run: `history` (seconds, groups) mean weight, `weights` (groups, inputs) at the end, rates in hertz."""
        found = program.run(seed, self.run_inputs(condition, gain, seed), duration=self.duration_s * second)
        groups = self.network().by_group(found)
        input_hz = groups.pop("input_spikes").mean(axis=1) / self.duration_s
        return groups | {"input_hz": input_hz, "output_hz": found["spikes"][0] / np.float64(self.duration_s)}

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """What a run gives, and `mean_weight` (groups) of its second half; all (conditions, gains, seeds, ...)."""
        program = self.network().program()
        grid = [(c, g, s) for c in CONDITIONS for g in self.gains for s in session.seeds]
        # at gain 1 nothing singles out a group, so that these conditions are one and the same run
        runs = [("attention", g, s) if g == 1 and c != "uncorrelated" else (c, g, s) for c, g, s in grid]
        found = dict(session.each(lambda item, tell: self.one(program, *item), sorted(set(runs))))
        arrays = stack([found[run] for run in runs], len(CONDITIONS), len(self.gains), len(session.seeds))
        return arrays | {"mean_weight": late_mean(arrays["history"], 2, axis=-2)}

    def differences(self, a: Arrays) -> dict[tuple[str, float], PairedDifference]:
        """Attended minus ignored mean weight by condition and gain; intervals are 95 % over seeds (Student), each for itself."""
        rows = zip(CONDITIONS, a["mean_weight"], strict=True)
        return {(c, gain): paired_difference(*w.T) for c, row in rows for gain, w in zip(self.gains, row, strict=True)}

    def moved(self, a: Arrays) -> np.ndarray:
        """By how much attention at the highest gain moved attended and ignored mean weights from those at gain 1, (2, seeds)."""
        weights = a["mean_weight"][CONDITIONS.index("attention")]
        return (weights[-1] - weights[self.gains.index(1.0)].mean(axis=-1, keepdims=True)).T

    def numbers(self, a: Arrays) -> dict[str, Any]:
        results = []
        for k, ((condition, gain), d) in enumerate(self.differences(a).items()):
            c, g = divmod(k, len(self.gains))
            attended, ignored = a["mean_weight"][c, g].T
            difference = {"mean": d.mean, "low": d.low, "high": d.high, "p": d.p, "effect": d.effect}
            weights = {"attended": float(attended.mean()), "ignored": float(ignored.mean())}
            rates = {"input_hz": a["input_hz"][c, g].mean(axis=0).tolist(), "output_hz": float(a["output_hz"][c, g].mean())}
            rates["output_interval"] = list(interval(a["output_hz"][c, g]))
            noise = {"noise_correlation": a["noise_correlation"][c, g].mean(axis=0).tolist()}
            results.append({"condition": condition, "gain": gain, "difference": difference, **weights, **rates, **noise})
        return {"dt_ms": self.dt_ms, "conditions": list(CONDITIONS), "results": results}

    @classmethod
    def tables(cls, numbers: Mapping[str, Any]) -> dict[str, Table]:
        """Weights and rates at the highest gain; at the others they are in summary.json."""
        gain = max(row["gain"] for row in numbers["results"])
        columns = ["condition", "attended - ignored", "attended", "ignored", "output (Hz)"]
        rows = [
            [
                row["condition"],
                told(row["difference"], 3) or "",
                *(f"{row[key]:.3g}" for key in ("attended", "ignored", "output_hz")),
            ]
            for row in numbers["results"]
            if row["gain"] == gain
        ]
        return {
            f"mean weights of attended and ignored inputs at gain {gain:g}, means over seeds [95 % interval]": (columns, rows)
        }

    def checks(self, a: Arrays) -> Iterable[Check]:
        """Where a statement speaks of several gains, p-values of the sign-flip test are corrected by Holm over all of them."""
        found, difference = self.differences(a), a["mean_weight"][..., 0] - a["mean_weight"][..., 1]
        by_condition, seeds = dict(zip(CONDITIONS, difference, strict=True)), difference.shape[-1]
        above, strong = [gain for gain in self.gains if gain > 1], [gain for gain in self.gains if gain >= 2]
        if 1 in self.gains:
            d = found["attention", 1]
            yield no_difference("difference at gain 1", d, published="95 % interval contains 0", kind="own", source=OWN)
        for condition in (*SELECTIVE, "mean_only"):
            side: dict[str, Any] = {"below": 0} if condition == "mean_only" else {"above": 0}
            for gain, p in zip(strong, holm([found[condition, gain].p for gain in strong]), strict=True):
                d = found[condition, gain]
                told = f"{d}, Holm {told_p(p, least_p(seeds, len(strong)))}"
                yield beyond(f"{condition}, gain {gain:g}", d, **side, told=told, kind="own", source=OWN)
        if 1 in self.gains and strong:
            rise, fall = self.moved(a)
            yield beyond(
                f"attention, gain {self.gains[-1]:g}: the ignored synapses fall more than the attended rise",
                paired_difference(-fall, rise), above=0, kind="own", source=OWN,
                told=f"attended {paired_difference(rise, 0 * rise)}, ignored {paired_difference(fall, 0 * fall)}",
            )  # fmt: skip
        for condition in SELECTIVE if len(self.gains) > 1 else ():
            slopes = np.polyfit(np.log2(self.gains), by_condition[condition], 1)[0]
            d, means = paired_difference(slopes, 0 * slopes), by_condition[condition].mean(axis=1)
            yield beyond(
                f"{condition} grows with gain", d, above=0, tolerance="95 % interval", kind="own", source=OWN,
                published="slope per doubling of the gain above 0",
                told=f"{d}; mean at each gain {', '.join(f'{mean:.3f}' for mean in means)}",
            )  # fmt: skip
        family = [(condition, gain) for condition in CONTROLS for gain in above]
        corrected = dict(zip(family, holm([found[key].p for key in family]), strict=True))
        for condition in CONTROLS if above else ():
            own, p = [found[condition, gain] for gain in above], min(corrected[condition, gain] for gain in above)
            smallest = told_p(p, least_p(seeds, len(family)))
            inside, furthest = sum(d.low <= 0 <= d.high for d in own), max(own, key=lambda d: abs(d.mean))
            yield no_difference(
                f"{condition} favours no group", p=p, kind="own", source=OWN, published="0 at every gain above 1",
                told=f"95 % interval contains 0 at {inside} of {len(own)} gains, largest {furthest}, smallest Holm {smallest}",
                tolerance=f"no Holm p below 0.05 over the {len(family)} comparisons of {' and '.join(CONTROLS)}",
            )  # fmt: skip
        for condition in (*CONTROLS, "uncorrelated") if strong else ():
            pairs = zip(self.gains, by_condition["attention"], by_condition[condition], strict=True)
            least = min((paired_difference(ours, theirs) for g, ours, theirs in pairs if g >= 2), key=lambda d: d.low)
            yield beyond(
                f"attention exceeds {condition}, gain >= 2", least, above=0, kind="own", source=OWN, told=f"smallest {least}",
                published="95 % interval above 0 at every gain",
            )  # fmt: skip
        total = a["input_hz"][CONDITIONS.index("redistributed")].sum(axis=-1).mean(axis=-1)  # (gains,)
        yield near(
            "redistributed keeps the total input rate", 0.0, np.abs(total / total[0] - 1).max(), 0.01,
            kind="own", source=f"counted spikes: total input rate against gain {self.gains[0]:g}, largest relative deviation",
        )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        of = {name: dict(zip(CONDITIONS, a[name], strict=True)) for name in ("history", "weights")}
        ends = {condition: of["weights"][condition] for condition in ("attention", "equal_gain")}
        return {
            "dose_response": dose_response(self.gains, a["mean_weight"][..., 0] - a["mean_weight"][..., 1]),
            "weights": weights(self.gains, a["mean_weight"]),
            "time_course": time_course(self.gains, of["history"]["attention"]),
            "distributions": distributions(self.gains, ends),
        }


if __name__ == "__main__":
    script(AttentionGain.name)
