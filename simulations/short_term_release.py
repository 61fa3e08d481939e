"""What a depressing and a facilitating synapse release at regular spikes, spike by spike and in the steady state.

The synapses are simulated in Brian2 and carry pair STDP as well, which short-term plasticity leaves alone.

Sources: Tsodyks & Markram 1997, doi:10.1073/pnas.94.2.719; Tsodyks, Pawelzik & Markram 1998, doi:10.1162/089976698300017502.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import Network, SpikeGeneratorGroup, StateMonitor, ms, second

from plasticity.protocols import numpy_target
from plasticity.rules import ShortTerm, pair_stdp
from simulations.figures import BLUE, VERMILION
from simulations.figures.kinds import level, line, page, panel, small_title
from simulations.frame.checks import Check, near
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Measure

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing, Panel

RELEASE = {
    "depressing": "Tsodyks & Markram 1997, doi:10.1073/pnas.94.2.719",
    "facilitating": "Tsodyks, Pawelzik & Markram 1998, doi:10.1162/089976698300017502",
}
SYNAPSES = {
    "depressing": ShortTerm(U=0.5, tau_rec=800 * ms),
    "facilitating": ShortTerm(U=0.03, tau_rec=130 * ms, tau_f=530 * ms),
}
SPIKES_HZ = 20.0
CLOSE = 1e-9  # rounding, and what is left of the way to the steady state
FIRST, SHOWN = 10, 20  # releases that are told and held to the equations, and in the figure


@dataclass(frozen=True)
class ShortTermRelease(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "short_term_release"
    summary: ClassVar[str] = "what a depressing and a facilitating synapse release, spike by spike and in the steady state"
    source: ClassVar[str] = f"{RELEASE['depressing']}; {RELEASE['facilitating']}"
    default_seeds: ClassVar[int] = 1
    seeded: ClassVar[bool] = False
    compiled: ClassVar[bool] = False
    part_of: ClassVar[str] = "homeostasis"
    uses: ClassVar[tuple[str, ...]] = ("pair_stdp",)
    time_share: ClassVar[float] = 0.04
    time_step: ClassVar[str] = (
        "None to converge: between spikes the synapse is advanced by its exact solution; the steps are a grid of spike times."
    )
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "released_depressing",
            "",
            "what the tenth spike in a row releases of a depressing synapse",
            ("released", "depressing", -1),
        ),
        Measure(
            "released_facilitating",
            "",
            "what the tenth spike in a row releases of a facilitating synapse",
            ("released", "facilitating", -1),
        ),
    )

    def run(self, seed: int) -> Arrays:
        return {f"released_{kind}": releases(synapse) for kind, synapse in SYNAPSES.items()}

    def numbers(self, a: Arrays) -> dict[str, Any]:
        return {"released": {kind: a[f"released_{kind}"][:FIRST].tolist() for kind in SYNAPSES}}

    def checks(self, a: Arrays) -> Iterable[Check]:
        for kind, synapse in SYNAPSES.items():
            ours, what, source = a[f"released_{kind}"], f"{kind} synapse, {SPIKES_HZ:g} Hz", f"equations of {RELEASE[kind]}"
            worst, steady = np.abs(ours[:FIRST] - recursion(synapse, FIRST)).max(), synapse.steady_release(SPIKES_HZ)
            title = f"{what}: largest deviation of the first ten releases from the recursion over spikes"
            yield near(title, 0.0, worst, CLOSE, kind="closed_form", source=source)
            yield near(f"{what}: release in the steady state", steady, ours[-1], CLOSE, kind="closed_form", source=source)

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        panels = [_first_releases(kind, a[f"released_{kind}"][:SHOWN]) for kind in SYNAPSES]
        return {"short_term": page(panels, size=(7.0, 3.2), legend=3, legend_look={"loc": "outside upper center"})}


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


def recursion(short_term: ShortTerm, spikes: int) -> np.ndarray:
    """What is released at the first regular spikes: u rises by U (1 - u), u x leaves, both relax until the next spike."""
    left = [float(np.exp(-1 / (SPIKES_HZ * float(tau)))) if float(tau) else 0.0 for tau in (short_term.tau_f, short_term.tau_rec)]
    u, x, found = 0.0, 1.0, []
    for _ in range(spikes):
        u += float(short_term.U) * (1 - u)
        found.append(u * x)
        u, x = u * left[0], 1 - (1 - x + u * x) * left[1]
    return np.array(found)


def _first_releases(kind: str, ours: np.ndarray) -> Panel:
    """Release at each of the first spikes, simulated and by the recursion over spikes, and the steady state."""
    s = SYNAPSES[kind]
    text = f"{kind}: U {s.U:g}, $\\tau_\\mathrm{{rec}}$ {s.tau_rec / ms:g} ms"
    text += f", $\\tau_f$ {s.tau_f / ms:g} ms" if s.facilitates else ""
    circles = {"color": VERMILION, "fillstyle": "none", "markersize": 8, "label": "recursion over spikes"}
    return panel(
        level(s.steady_release(SPIKES_HZ), color=VERMILION, linewidth=1, linestyle="--", label="steady state, closed form"),
        line(np.arange(1, SHOWN + 1), ours, "-", color=BLUE, marker=".", label="simulated in Brian2"),
        line(np.arange(1, FIRST + 1), recursion(s, FIRST), "o", **circles),
        small_title(text), x=f"number of the spike, {SPIKES_HZ:g} Hz",
        y="release u x (share of all resources)" if kind == next(iter(SYNAPSES)) else "", ylim=(0, None),
        xticks=[1, 5, 10, 15, 20],
    )  # fmt: skip


if __name__ == "__main__":
    script(ShortTermRelease.name)
