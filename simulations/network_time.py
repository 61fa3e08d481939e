"""How fast is the network of Diehl & Cook here, and by other means, in one sitting on one machine?

    time of an image        784 inputs to `neurons`, dt 0.5 ms, 350 ms shown and 150 ms dark
    hand-written loop       simulations/peers/loop.cpp, float32, g++ -O3 -march=native; also with -ffast-math, which this library
                            uses, and with a random number for each input and step instead of one for each spike
    Brian2, Cython          simulations/peers/brian2_cython.py: a plain script, one `run` for each part of an image, double
    BindsNET 0.3.4          DiehlAndCook2015, 350 steps of 1 ms, input spikes drawn before the clock starts; ours: 351 steps
    NEST 3.10               stdp_synapse between as many Poisson trains and neurons, at the mean rate of the images. Time for an
                            input spike and synapse: what the synapses add to the network without them (ours: what lit images add
                            to dark ones), and, told beside it, the whole time of either program by its synaptic events

The slow programs show the first `slow_images` images, and are held against ours with these alone. A peer that cannot be had is
left out and its reason is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from plasticity import held
from plasticity.settings import setting
from simulations.figures import BLACK, SKY, VERMILION
from simulations.figures.kinds import Layer, line, moment, note, page, panel
from simulations.frame.checks import Check, within
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Session
from simulations.frame.sitting import Sitting
from simulations.frame.timed_network import INPUTS, refuse_numpy

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

SOURCE = "measured; network: Diehl & Cook 2015, doi:10.3389/fncom.2015.00099"
BARS = {  # measure: (bar, aim), of the ratio peer/ours
    "Brian2, Cython target": (50.0, 100.0),
    "BindsNET, dt 1 ms": (25.0, 60.0),
    "hand-written loop": (1 / 1.5, 1 / 1.1),
    "the same, -ffast-math": (1 / 1.5, 1 / 1.1),
    "NEST stdp_synapse, synaptic event": (40.0, 80.0),
    "first start": (20.0, None),
}
FOLLOWS = ("ratio: ", "exponent: ", "memory without images", "checks")  # numbers that follow from others

# settings that are those of `network_growth` as well
NEURONS = setting(400, "excitatory neurons", low=10, high=6400)
WARM = setting(1000, "images of training before", low=20, high=10_000)
REPEATS = setting(3, "measurements, of which the best counts", low=1, high=20)


@dataclass(frozen=True)
class NetworkTime(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "network_time"
    summary: ClassVar[str] = "time of the Diehl & Cook network beside a hand-written loop, Brian2, BindsNET and NEST"
    source: ClassVar[str] = SOURCE
    default_seeds: ClassVar[int] = 1
    published: ClassVar[bool] = False  # times of one machine: not part of `plasticity reproduce`
    part_of: ClassVar[str] = "bench"
    uses: ClassVar[tuple[str, ...]] = ("diehl_cook", "lif_conductance")
    time_step: ClassVar[str] = "0.5 ms, that of the learner, and 1 ms of BindsNET: what is measured is what a step costs."

    peers: bool = setting(False, "install BindsNET and NEST into environments of their own and measure them")
    neurons: int = NEURONS
    images: int = setting(200, "images that are timed, in the fast programs", low=20, high=1000)
    slow_images: int = setting(6, "images that are timed, in the slow ones", low=2, high=1000)
    warm: int = WARM
    repeats: int = REPEATS
    parallel_images: int = setting(
        300, "images in each of the eight trainings that run one after another and side by side; 0: none", low=0, high=60_000
    )

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """`measured`: everything as one text in JSON, for most of it are single numbers and words."""
        refuse_numpy()
        with held.temporary("plasticity-bench-") as folder:
            amounts = {name: getattr(self, name) for name in ("neurons", "images", "slow_images", "warm", "repeats")}
            sitting = Sitting(folder, session.jobs, **amounts)
            steps = {"second start": sitting.starts, "loop": sitting.loop, "Brian2": sitting.brian2}
            steps |= {"BindsNET": sitting.bindsnet, "NEST": sitting.nest} if self.peers else {}
            steps |= {"seeds": partial(sitting.side_by_side, self.parallel_images)} if self.parallel_images else {}
            for k, (note, step) in enumerate(steps.items()):
                session.progress(k / len(steps), note=note)
                step()
        measured = {**sitting.measured, "rows": sitting.rows, "not had": sitting.reasons}
        return {"measured": np.array(json.dumps(measured))}

    def numbers(self, a: Arrays) -> dict[str, Any]:
        measured = json.loads(str(a["measured"]))
        last = {name: measured.pop(name) for name in ("rows", "not had")}
        return measured | {f"ratio: {row['measure']}": row["peer"] / row["ours"] for row in last["rows"]} | last

    def told(self, numbers: Mapping[str, Any]) -> dict[str, np.ndarray]:
        measured = {name: value for name, value in numbers.items() if not name.startswith(FOLLOWS)}
        return {"measured": np.array(json.dumps(measured))}

    def checks(self, a: Arrays) -> Iterable[Check]:
        told = self.numbers(a)
        for row in (row for row in told["rows"] if row["measure"] in BARS):
            bar, aim = BARS[row["measure"]]
            yield within(
                f"{row['measure']}: time / ours", row["peer"] / row["ours"], low=bar, tolerance="at least the bar",
                published=f"at least {bar:.3g}" + (f", aim {aim:.3g}" if aim else ""),
                kind="own", source=f"{row['peer']:.4g} against {row['ours']:.4g} {row['unit']}; {row['note']}",
            )  # fmt: skip
        yield within(
            "second start (s), imports apart", told["second_start_s"], high=0.3, strict=True, published="under 0.3",
            tolerance="below", kind="own", source=f"with Python's imports {told['second_start_with_imports_s']:.2f} s",
        )  # fmt: skip
        if "seeds_efficiency" in told:
            alone, together, jobs = (told[f"seeds_{name}"] for name in ("alone_s", "together_s", "jobs"))
            yield within(
                "eight seeds on all cores: efficiency", told["seeds_efficiency"], low=0.85, published="at least 0.85, aim 0.95",
                tolerance="at least the bar", kind="own",
                source=f"{alone:.1f} s one after another, {together:.1f} s with {jobs} jobs",
            )  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        """How many times slower each peer is, with the bar that was set."""
        told = self.numbers(a)
        rows = [row for row in told["rows"] if row["unit"] != "s"]
        found = np.array([row["peer"] / row["ours"] for row in rows])
        layers: list[Layer] = [lambda axis: axis.barh(range(len(rows)), found - 0.05, left=0.05, color=SKY, height=0.6) and None]
        for place, (row, ratio) in enumerate(zip(rows, found, strict=True)):
            text = f"{ratio:.3g} ({row['peer']:.3g} against {row['ours']:.3g} {row['unit']})"
            layers.append(note(text, (ratio * 1.1, place), va="center"))
            if row["measure"] in BARS:
                layers.append(line([BARS[row["measure"]][0]] * 2, [place - 0.38, place + 0.38], color=VERMILION, linewidth=2))
        drawn = panel(
            *layers, moment(1, color=BLACK), x="time of the peer / time of this library (log scale)", xscale="log",
            xlim=(0.05, 300 * found.max()), yticks=range(len(rows)), yticklabels=[row["measure"] for row in rows],
            then=lambda axis: axis.invert_yaxis(),
        )  # fmt: skip
        caption = f"{INPUTS} inputs, {self.neurons} neurons, {told['processor']}; red: the bar"
        return {"ratios": page([drawn], size=(7.2, 1.3 + 0.42 * len(rows)), caption=caption)}


if __name__ == "__main__":
    script(NetworkTime.name)
