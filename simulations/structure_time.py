"""What a pool of synapses that come and go costs beside a static network with as many living synapses.

`neurons` Poisson trains of 10 Hz meet as many neurons under pair STDP, traces on the neurons. A share of all pairs is alive: as
a pool of all of them, under a law that is asked at every interval (`plasticity.structure`), or as a static network of those that
are alive, the same rule and weights. Both are compiled programs of one thread; a run of `short_s` and one of `long_s` of
simulated time are timed, the best of `repeats` each, in turn. Their difference over that of the simulated times is what a second
costs, set-up apart. Memory is that of all arrays with an entry for each synapse, and of what the living ones of a pool have
beside these: from one update to the next they lie side by side in arrays of their own, with their numbers in the pool.

What one quiet machine says (DEEP R, a pool of a million). With an update every 10 s a second takes .91, 1.18 and .99 times
that of the static network at 1, 10 and 100 % alive, every 100 s 1.01, 1.11 and .84; every second 1.34, 2.66 and 1.73. So the
bar of 1.3 is kept where updates are 10 s apart, not where they come each second. Times scatter: at 10 % and 10 s other
sittings gave 1.04 to 1.39. An update goes through the living synapses, for each of which DEEP R draws a number, and through
the silent ones where some come again; where most of the living ones are replaced at an update, as with runs of 900 s, in
which all weights decay to nothing, it costs several times as much. The pool takes 26 bytes a synapse, dead or alive, and 20
more for each living one; a static network 16.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import ms, second

from plasticity.checked import Count
from plasticity.errors import WrongUse
from plasticity.networks.network import Net, Network, run_time
from plasticity.networks.poisson_trains import poisson_trains
from plasticity.rules import Rule, pair_stdp
from plasticity.settings import setting
from plasticity.structure import LAWS, Structure
from simulations.figures import BLACK, BLUE, GREEN, ORANGE, VERMILION
from simulations.figures.kinds import level, line, log_x, page, panel
from simulations.frame.checks import Check, within
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Session, Table
from simulations.frame.timed_network import refuse_numpy

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

BAR = 1.3  # times the static network
RATE_HZ, DRIVE = 10.0, 0.5
COLOURS = (VERMILION, ORANGE, GREEN, BLUE)


@dataclasses.dataclass(frozen=True)
class Timed(Network):
    """`neurons` trains onto as many neurons, of all pairs a share: a pool where there is a structure, else static."""

    neurons: Count
    share: float
    pool: Structure | None
    rule: Rule = run_time(pair_stdp, "pre", "post")
    dt: Any = dataclasses.field(default_factory=lambda: 1 * ms)

    def build(self, net: Net) -> None:
        n = self.neurons
        pre = poisson_trains(net, n, "pre")
        post = net.group(
            "post", n, "dv/dt = -v/(20*ms) : 1", threshold="v > 1", reset="v = 0", method="exact", namespace={"ms": ms}
        )
        living = np.sort(np.random.default_rng(0).permutation(n * n)[: round(self.share * n * n)])
        there = np.arange(n * n) if self.pool else living
        plastic = net.learn(
            self.rule, pre, post, transmit=f"v_post += {DRIVE / (n * self.share)!r}*w", structure=self.pool,
            connect={"i": there // n, "j": there % n},
        )  # fmt: skip
        plastic.w = 0.5
        if self.pool:
            plastic.alive = np.isin(there, living)
            net.follow(plastic)
        net.inputs(rate=pre.rate)
        net.outputs(w=plastic.w)
        net.lasts(1000 * second)


@dataclass(frozen=True)
class StructureTime(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "structure_time"
    summary: ClassVar[str] = "what a pool of synapses that come and go costs beside a static network of the living ones"
    source: ClassVar[str] = "measured; Brian2: Stimberg, Brette & Goodman 2019, doi:10.7554/eLife.47314"
    default_seeds: ClassVar[int] = 1
    published: ClassVar[bool] = False  # times of one machine
    uses: ClassVar[tuple[str, ...]] = ("deep_r", "pair_stdp")
    time_step: ClassVar[str] = "1 ms: what is measured is what a step costs."

    neurons: int = setting(1000, "trains, and neurons", low=10, high=5000)
    shares: tuple[float, ...] = setting((0.01, 0.1, 1.0), "shares of the pairs that are alive, rising", above=0, high=1)
    law: str = setting("deep_r", "which synapses come and go (plasticity.structure)")
    every_s: tuple[float, ...] = setting((1.0, 10.0, 100.0), "seconds from one update to the next, rising", above=0, high=1000)
    short_s: int = setting(100, "simulated time of a short run", "s", low=1, high=500)
    long_s: int = setting(300, "simulated time of a long run", "s", low=2, high=1000)
    repeats: int = setting(5, "how often each is timed, of which the best counts", low=1, high=20)

    def refuse(self) -> None:
        law = LAWS[self.law]
        if law.elements or law.needs:
            raise WrongUse(f"law={self.law} asks for variables that these neurons have not; give a law of weights.")
        if not self.shares or (np.diff(self.shares) <= 0).any() or not self.every_s or (np.diff(self.every_s) <= 0).any():
            raise WrongUse("shares= and every_s= must each rise, for example --set shares=0.01,0.1,1.")
        if self.long_s <= self.short_s:
            raise WrongUse(f"long_s={self.long_s} must be more than short_s={self.short_s}.")

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """`seconds` (1 + every, shares, 2: a short and a long run; the static network first) and `bytes` (2, shares): of each."""
        refuse_numpy()
        kinds = [None, *(Structure(LAWS[self.law], every=every * second) for every in self.every_s)]
        places = [(k, s) for k in range(len(kinds)) for s in range(len(self.shares))]
        networks = {(k, s): Timed(self.neurons, self.shares[s], kinds[k]) for k, s in places}
        programs = {place: network.program() for place, network in networks.items()}
        found = np.full((len(kinds), len(self.shares), 2), np.inf)
        for turn in range(self.repeats):
            for number, (k, s) in enumerate(places):
                for which, lasts in enumerate((self.short_s, self.long_s)):
                    begun = time.perf_counter()
                    programs[k, s].run(session.seeds[0], {"rate": RATE_HZ}, duration=lasts * second)
                    found[k, s, which] = min(found[k, s, which], time.perf_counter() - begun)
                session.progress((turn + (number + 1) / len(places)) / self.repeats)
        static, pool = np.array([[_bytes(networks[k, s]) for s in range(len(self.shares))] for k in (0, 1)], dtype=float)
        numbers = 4 * np.round(np.array(self.shares) * self.neurons**2)
        return {"seconds": found, "bytes": np.array([static, pool + static + numbers])}

    def ratios(self, a: Arrays) -> np.ndarray:
        """Time of a simulated second over that of the static network, (every, shares)."""
        second_costs = np.diff(a["seconds"], axis=-1)[..., 0] / (self.long_s - self.short_s)
        return np.asarray(second_costs[1:] / second_costs[0])

    def numbers(self, a: Arrays) -> dict[str, Any]:
        cost = 1e3 * np.diff(a["seconds"], axis=-1)[..., 0] / (self.long_s - self.short_s)
        return {
            "results": [
                {
                    "share": share, "every_s": every, "static_ms": float(cost[0, s]), "pool_ms": float(cost[1 + k, s]),
                    "ratio": float(self.ratios(a)[k, s]), "static_mb": float(a["bytes"][0, s] / 1e6),
                    "pool_mb": float(a["bytes"][1, s] / 1e6),
                }
                for s, share in enumerate(self.shares) for k, every in enumerate(self.every_s)
            ]
        }  # fmt: skip

    @classmethod
    def tables(cls, numbers: Mapping[str, Any]) -> dict[str, Table]:
        heads = ["alive", "update every (s)", "static (ms)", "pool (ms)", "ratio", "static (MB)", "pool (MB)"]
        rows = [
            [
                f"{row['share']:.0%}", f"{row['every_s']:g}", f"{row['static_ms']:.3g}", f"{row['pool_ms']:.3g}",
                f"{row['ratio']:.2f}", f"{row['static_mb']:.3g}", f"{row['pool_mb']:.3g}",
            ]
            for row in numbers["results"]
        ]  # fmt: skip
        return {"time of a simulated second, and memory of the synapses": (heads, rows)}

    def checks(self, a: Arrays) -> Iterable[Check]:
        for s, share in enumerate(self.shares):
            for k, every in enumerate(self.every_s):
                yield within(
                    f"{share:.0%} alive, an update every {every:g} s: time over that of the static network",
                    float(self.ratios(a)[k, s]), high=BAR, published=f"at most {BAR:g}", tolerance="at most the bar", kind="own",
                    source="statement of this simulation",
                )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        x = 100 * np.array(self.shares)
        drawn = panel(
            *(
                line(x, ratio, color=COLOURS[k % 4], marker="o", label=f"update every {every:g} s")
                for k, (every, ratio) in enumerate(zip(self.every_s, self.ratios(a), strict=True))
            ),
            level(1, color=BLACK, linewidth=0.8), level(BAR, color="0.6", linestyle="--", linewidth=0.8), then=log_x(x),
            x="synapses alive (% of the pool)", y="time / that of the static network", ylim=(0, None), legend="upper right",
            title="dashed: the bar",
        )  # fmt: skip
        return {"structure_time": page([drawn], size=(5.4, 4), caption=f"{self.neurons**2:,} pairs, {self.law}, one machine")}


def _bytes(network: Network) -> float:
    """Of all arrays with an entry for each plastic synapse."""
    net = Net(network)
    network.build(net)
    net.model()  # or Brian2 warns of groups that no network holds
    plastic = net.groups["plastic"]
    arrays = {id(one): one for one in plastic.variables.values() if getattr(one, "size", 0) == len(plastic) > 1 and one.array}
    return float(sum(one.size * np.dtype(one.dtype).itemsize for one in arrays.values()))


if __name__ == "__main__":
    script(StructureTime.name)
