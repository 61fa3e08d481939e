"""Does STDP find a pattern of spikes that returns in noise? One neuron, 2000 inputs, 450 s, and a control that must not find it.

Half of the inputs carry a pattern of 50 ms, a quarter of the time and with a jitter of 1 ms, within trains of the same mean rate
(the trains: plasticity.spike_trains, the network: plasticity.networks.pattern_detector). With reduced nearest-neighbour pairs the
neuron, which at first fires at random, comes to fire at the beginning of each pattern and nowhere else. Three ways to pair
spikes:

    reduced         each spike pairs once with the next one of the other side; an input spike in the very time step of an output
                    spike counts as earlier. The rule and the program of Hathway & Goodman 2018.
    reduced_apart   the same, but spikes in one time step do not pair: this library's own way with them
    all             all-to-all pairs, everything else as in `reduced`: the control, for the first few seeds

Measures. A hit: an output spike within the 50 ms of a pattern. A false alarm: an output spike outside of any. Latency: from the
beginning of the pattern to an output spike within it. Success, as in both papers: over the last third (150 s) more than 98 %
hits, no false alarm and a mean latency below 10 ms. Time of finding: of the first output spike after the last false alarm in
the first 50 s.

Spikes in one time step. At 0.1 ms about 13 of the 2000 inputs fire in the step of an output spike. If all of these are
potentiated it takes longer to weaken those outside of the pattern: Hathway & Goodman find the pattern after 21.4 s at 0.1 ms and
after 13.5 s at 0.001 ms, which is also the time of the original with its exact spike times (their fig. 6). Where such pairs are
left out (`reduced_apart`) it takes 12.3 s at 0.1 ms, a little less than that.

Repetition. One stretch of 150 s is drawn and repeated, as in both papers; `--set stretch_s=450` does without, in three times
the memory (1.1 GB for each of the `--jobs` at 150 s).

At the beginning of each stretch the trains have 18 % more spikes for 5 ms, because the published procedure lets the silence of an
input begin at a uniform time in the 50 ms before. There the control, silent else, fires one spike in some seeds (2 of 5: at 150
and 300 s), for which reason its last spike is judged both before the trains repeat and in the whole run.

Cost. For one seed 9.5 s of processor time to draw the trains (half of it the random walk of the rates, a fifth sorting) and 3.5 s
for each run of 450 s: 0.7 s for 4.5 million empty steps, 2.2 s for 58 million input spikes, 0.6 s to hand them over.

Sources: Masquelier, Guyonneau & Thorpe 2008, doi:10.1371/journal.pone.0001377; Hathway & Goodman 2018,
doi:10.5281/zenodo.1327348 (the numbers of single runs: the data published with it).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from brian2 import ms, second

from plasticity.detection import BIN_S, EARLY_S, HITS, LATENCY_MS, SLOT_MS, measure, place
from plasticity.engine import Program
from plasticity.networks.pattern_detector import PatternDetector, masquelier
from plasticity.neurons import srm_lif
from plasticity.parallel import Progress
from plasticity.settings import setting
from plasticity.spike_trains import Trains, check_trains, trains
from plasticity.statistics import mean_and_interval
from simulations.figures import BLACK, BLUE, SKY, VERMILION
from simulations.figures.kinds import Layer, Panel, band, each_run, level, line, moment, page, panel, share, small_title, steps
from simulations.frame.checks import Check, near, within
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Experiment, Session

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

CONDITIONS = {  # name: (which pairs count, spikes of one time step)
    "reduced": ("reduced", "before"),
    "reduced_apart": ("reduced", "apart"),
    "all": ("all", "before"),
}
CONTROL = "all"
LOOKS = {  # label, colour, line style
    "reduced": ("reduced nearest neighbour", VERMILION, "-"),
    "reduced_apart": ("the same, spikes of one time step do not pair", BLUE, "--"),
    "all": ("all-to-all (control)", BLACK, ":"),
}
TOLD = ("hits", "false_alarms", "latency_ms", "found_s", "found_spikes", "start_hz", "end_hz", "last_s", "quiet_s")
REPLICATION = "Hathway & Goodman 2018, doi:10.5281/zenodo.1327348"
ORIGINAL = "Masquelier et al. 2008, doi:10.1371/journal.pone.0001377"
DATA, FINE = (f"{REPLICATION}, data of fig. 6, time step {step} ms" for step in ("0.1", "0.001"))


@dataclass(frozen=True)
class PatternDetection(Experiment):
    __doc__ = __doc__

    name: ClassVar[str] = "pattern_detection"
    summary: ClassVar[str] = (
        "one neuron finds a repeating spike pattern in noise by reduced nearest-neighbour STDP, not by all-to-all"
    )
    source: ClassVar[str] = f"{ORIGINAL}; {REPLICATION}"
    default_seeds: ClassVar[int] = 20
    uses: ClassVar[tuple[str, ...]] = ("pair_stdp", "srm_lif")

    duration_s: float = setting(450.0, "simulated time; success is judged over its last third", "s", low=3, high=3600)
    stretch_s: float = setting(150.0, "length of the trains, which are repeated to the end", "s", low=1, high=600)
    inputs: int = setting(2000, "inputs of the neuron", low=10, high=10_000)
    in_pattern: int = setting(1000, "inputs that take part in the pattern", low=1, high=10_000)
    share: float = setting(0.25, "share of the time in which the pattern is there", low=0.01, high=0.4)
    jitter_ms: float = setting(1.0, "standard deviation of the jitter of the pattern's spikes", "ms", low=0, high=20)
    threshold: float = setting(500.0, "threshold of the neuron, in peaks of the potential by one input of weight 1", low=1)
    w_start: float = setting(0.475, "weight of every synapse at the start", low=0, high=1)
    A_plus: float = setting(2**-5, "largest potentiation by one pair, as a share of the weight's range", low=0, high=1)
    alpha: float = setting(0.85, "A_minus/A_plus", low=0, high=10)
    dt_ms: float = setting(0.1, "time step", "ms", low=0.01, high=1)
    controls: int = setting(5, "for how many of the seeds the all-to-all control runs", low=0, high=1000)

    def refuse(self) -> None:
        check_trains(**self._trains())

    def network(self, condition: str) -> PatternDetector:
        """What is compiled for a condition, and its numbers."""
        pairs, simultaneous = CONDITIONS[condition]
        return PatternDetector(
            rule=masquelier(A_plus=self.A_plus, A_minus=self.alpha * self.A_plus).with_traces(pairs),
            inputs=self.inputs,
            stretch=self.stretch_s * second,
            duration=max(450.0, self.duration_s) * second,
            neuron=srm_lif(threshold=self.threshold),
            dt=self.dt_ms * ms,
            simultaneous=simultaneous,
        )

    def _trains(self) -> dict[str, Any]:
        """What `trains` is told."""
        same = {name: getattr(self, name) for name in ("inputs", "in_pattern", "stretch_s", "share", "jitter_ms", "dt_ms")}
        return {**same, "slot_ms": SLOT_MS}

    def trains(self, seed: int) -> Trains:
        """The input of a seed, the same for every condition."""
        return trains(np.random.default_rng(seed), **self._trains())

    def one(self, program: Program, condition: str, seed: int, made: Trains) -> dict[str, np.ndarray]:
        """One run: `w` (inputs) at the end and `spike_s`, when the neuron fired."""
        given = self.network(condition).tape(made) | {"w": np.full(self.inputs, self.w_start)}
        return program.run(seed, given, duration=self.duration_s * second)

    def collect(self, session: Session) -> dict[str, np.ndarray]:
        """Of each condition CONDITION_w (seeds, inputs) and what `measure` says (seeds, ...); trains and spikes of one seed."""
        programs = {name: self.network(name).program() for name in CONDITIONS}
        seeds, controls = list(session.seeds), set(list(session.seeds)[: self.controls])

        def work(seed: int, tell: Progress) -> tuple[float, dict[str, dict[str, Any]], dict[str, np.ndarray]]:
            made = self.trains(seed)
            onsets_ms, found = made.onsets_ms(1000 * self.duration_s), {}
            for name in (name for name in CONDITIONS if name != CONTROL or seed in controls):
                run = self.one(programs[name], name, seed, made)
                found[name] = run | {"measures": measure(run["spike_s"], onsets_ms, self.duration_s, self.stretch_s)}
            pattern = {"onsets_s": onsets_ms / 1000, "pattern_neuron": made.pattern_neuron, "pattern_ms": made.pattern_ms}
            return len(made.step) / (self.stretch_s * self.inputs), found, pattern  # the trains themselves are some 150 MB

        results = dict(session.each(work, seeds))
        arrays = {"seeds": np.array(seeds), "input_hz": np.array([results[seed][0] for seed in seeds])}
        arrays |= {f"shown_{key}": array for key, array in results[seeds[0]][2].items()}
        for name in CONDITIONS:
            runs = [results[seed][1][name] for seed in seeds if name in results[seed][1]]
            if runs:
                arrays[f"{name}_w"] = np.stack([run["w"] for run in runs]).astype(np.float32)
                arrays |= {f"{name}_{key}": np.array([run["measures"][key] for run in runs]) for key in runs[0]["measures"]}
                arrays[f"{name}_shown_spike_s"] = runs[0]["spike_s"]
        return arrays

    def numbers(self, a: Arrays) -> dict[str, Any]:
        told: dict[str, Any] = {"seeds": a["seeds"].tolist(), "input_hz": float(a["input_hz"].mean())}
        for name in _present(a):
            own: dict[str, Any] = {"runs": len(a[f"{name}_success"]), "successes": int(a[f"{name}_success"].sum())}
            rows = {key: a[f"{name}_{key}"].astype(float) for key in TOLD}
            told[name] = own | {key: mean_and_interval(row) | {"each": row.tolist()} for key, row in rows.items()}
        return told

    def checks(self, a: Arrays) -> Iterable[Check]:
        def succeed(name: str, published: str, source: str) -> Check:
            runs, good = len(a[f"{name}_success"]), int(a[f"{name}_success"].sum())
            return within(
                f"{name}: runs that succeed", good, 0.9 * runs, published=published, told=f"{good} of {runs}", source=source,
                tolerance="at least 90 % (18 of 20)",
            )  # fmt: skip

        def mean(name: str, key: str, kept: Any = slice(None)) -> float:
            return mean_and_interval(a[f"{name}_{key}"][kept])["mean"]

        yield near("mean rate of the inputs (Hz)", 64.0, a["input_hz"].mean(), 1.0, source=REPLICATION)
        yield succeed("reduced", "94 %", f"{DATA}: 94 of 100 runs")
        if a["reduced_success"].any():
            data, good = f"{DATA}, mean and standard deviation over 94 runs", a["reduced_success"].astype(bool)
            found = mean_and_interval(a["reduced_found_s"])
            yield near("reduced: time of finding, mean (s)", 21.4, found["mean"], 6.0, source=data)
            yield within(
                "reduced: the pattern is found", found["mean"], 14, 25, published="after 14 to 25 s",
                tolerance="the mean lies within", told=f"{found['mean']:.1f} [{found['low']:.1f}, {found['high']:.1f}]",
                source=f"{REPLICATION}: about 14 s with ever smaller time steps, 20 s at 0.1 ms in the run shown",
            )  # fmt: skip
            yield near("reduced: hits over the last third", 0.998, mean("reduced", "hits", good), 0.004, source=data)
            yield near("reduced: latency over the last third (ms)", 4.68, mean("reduced", "latency_ms", good), 0.8, source=data)
            rates = mean("reduced", "start_hz"), mean("reduced", "end_hz")
            yield near("reduced: output rate in the first second (Hz)", 63.0, rates[0], 6.3, source=REPLICATION)
            yield near("reduced: output rate at the end (Hz)", 5.0, rates[1], 0.5, source=REPLICATION)
        if a["reduced_apart_success"].any():
            yield succeed("reduced_apart", "98 %", f"{FINE}: 98 of 100 runs")
            source = f"{FINE}, mean and two standard deviations; {ORIGINAL}"
            yield near("reduced_apart: time of finding, mean (s)", 13.5, mean("reduced_apart", "found_s"), 2.0, source=source)
        if CONTROL in _present(a):
            source = f"{REPLICATION}, table 3 and fig. 7"
            yield near("all: runs that succeed", 0, a["all_success"].sum(), 0, source=source)
            for key, when in (("quiet_s", "before the trains repeat"), ("last_s", "in the whole run")):
                claim, last = f"all: last output spike of any run {when} (s)", float(np.nanmax(a[f"all_{key}"], initial=0.0))
                yield within(claim, last, high=1, published="less than 1 s", tolerance="below 1", source=source, strict=True)

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        high = 1.5 + 0.75 * len(_present(a))
        caption = "one mark for each run (dot: success, cross: not); grey: bounds of success"
        side: dict[str, Any] = {"sharey": True, "size": (7.4, 3.4)}
        return {
            "over_time": page(*([one] for one in _over_time(a)), size=(7.0, 6.4), legend=1, outer=True, sharex=True),
            "latency": page(_latency(a), legend=3, legend_look={"markerscale": 2}, outer=True, width_ratios=(3, 2), **side),
            "weights": page(self._weights(a), width_ratios=(3, 1.6), **side),
            "success": page(_success(a), size=(8.6, high), outer=True, sharey=True, caption=caption),
        }

    def _weights(self, a: Arrays) -> list[Panel]:
        """Weights at the end: of inputs in the pattern against the time of their first spike in it, and of the others."""
        w, order = a["reduced_w"], np.argsort(a["shown_pattern_ms"], kind="stable")
        fires, at = np.unique(a["shown_pattern_neuron"][order], return_index=True)
        first_ms, latency_ms = a["shown_pattern_ms"][order][at], float(a["reduced_latency_ms"][0])
        edges, levels = np.arange(0, SLOT_MS + 1, 2.5), np.linspace(0, 1, 21)
        bins = np.clip(np.digitize(first_ms, edges) - 1, 0, len(edges) - 2)
        held = np.unique(bins)
        layers = [
            line(first_ms, w[0, fires], ".", markersize=3, color=VERMILION, alpha=0.6),
            line(edges[held] + 1.25, [w[0, fires[bins == k]].mean() for k in held], color=BLACK, label="mean of 2.5 ms"),
        ]
        if np.isfinite(latency_ms):
            layers.append(moment(latency_ms, linestyle="--", linewidth=1, label="mean latency of the output"))
        shares: list[Layer] = []
        for part, label, colour, stroke in (
            (w[:, : self.in_pattern], "in the pattern", VERMILION, "-"),
            (w[:, self.in_pattern :], "outside of it", BLUE, "--"),
        ):
            if part.size:
                look = {"orientation": "horizontal", "color": colour, "linestyle": stroke, "label": label}
                shares.append(steps(100 * share(part.ravel(), levels), levels, **look))
        return [
            panel(
                *layers, x="first spike of the input in the pattern (ms)", y="weight at the end (no unit)",
                title=f"inputs in the pattern, seed {int(a['seeds'][0])}", legend={"loc": "center", "bbox_to_anchor": (0.5, 0.6)},
            ),
            panel(*shares, x="share of the inputs (%)", title=f"all inputs, {len(w)} seeds", legend="center right"),
        ]  # fmt: skip


def _present(a: Arrays) -> list[str]:
    return [name for name in CONDITIONS if f"{name}_success" in a]


def _over_time(a: Arrays) -> list[Panel]:
    """Hit rate, false alarms and latency over time: mean over seeds with its 95 % interval."""

    def curves(key: str, factor: int = 1) -> list[Layer]:
        made = []
        for name in _present(a):
            (title, colour, stroke), values = LOOKS[name], factor * a[f"{name}_{key}"]  # (seeds, bins)
            known = np.isfinite(values).all(axis=0)  # a latency needs a hit
            if known.any():
                at, label = (np.flatnonzero(known) + 0.5) * BIN_S, f"{title}, {len(values)} seeds"
                look: dict[str, Any] = {"color": colour, "linestyle": stroke, "marker": ".", "label": label}
                made.append(band(at, values[:, known], 0.25, **look))
        return made

    def near_0(axis: Any) -> None:
        axis.set_yscale("symlog", linthresh=0.1, linscale=0.5)
        axis.set_ylim(0, 100)

    title = small_title(f"mean over seeds and its 95 % interval, bins of {BIN_S:g} s; grey: bounds of success")
    return [
        panel(*curves("hits_curve", 100), level(100 * HITS), title, y="patterns with a spike (%)", ylim=(0, None)),
        panel(*curves("false_alarms_curve"), y="false alarms per second", then=near_0),
        panel(*curves("latency_curve"), level(LATENCY_MS), x="time (s)", y="latency (ms)", ylim=(0, None)),
    ]


def _latency(a: Arrays) -> list[Panel]:
    """The latency of each output spike after the beginning of the pattern, one seed; spikes outside of patterns below 0."""
    spike_s, found = a["reduced_shown_spike_s"], float(a["reduced_found_s"][0])
    pattern, late_s, inside = place(spike_s, a["shown_onsets_s"])
    first = inside & np.concatenate([[True], pattern[1:] != pattern[:-1]])
    end = float(spike_s[-1]) if len(spike_s) else 1.0
    height = np.where(inside, 1000 * late_s, -4.0)

    def until(last: float, title: str) -> Panel:
        kinds = (
            (first, {"marker": ".", "markersize": 3, "color": VERMILION, "label": "first spike in a pattern"}),
            (inside & ~first, {"marker": ".", "markersize": 2, "color": SKY, "label": "further spikes in a pattern"}),
            (~inside, {"marker": "|", "markersize": 6, "color": BLACK, "label": "outside of patterns"}),
        )
        shown = [(kind & (spike_s <= last), look) for kind, look in kinds]
        layers = [line(spike_s[kind], height[kind], linestyle="", **look) for kind, look in shown]
        layers += [moment(found, linestyle="--")] if np.isfinite(found) else []
        return panel(
            *layers, x="time (s)", y="latency of the output spike (ms)", title=title, xlim=(0.0, last), ylim=(-8, SLOT_MS)
        )

    dashed = f", found after {found:.1f} s (dashed)" if np.isfinite(found) else ""
    return [until(min(EARLY_S, end), f"seed {int(a['seeds'][0])}{dashed}"), until(end, "whole run")]


def _success(a: Arrays) -> list[Panel]:
    """Each run with its measures over the last third, and how many succeed with each way to pair spikes."""
    names = _present(a)
    good, colours = [a[f"{name}_success"] for name in names], [LOOKS[name][1] for name in names]

    def marks(key: str, factor: int = 1) -> Layer:
        return each_run([factor * a[f"{name}_{key}"].astype(float) for name in names], good, colours)

    texts = [
        f"{name.replace('_', ' ')}\n{int(kept.sum())} of {len(kept)} succeed" for name, kept in zip(names, good, strict=True)
    ]
    rows: dict[str, Any] = {"yticks": range(len(names)), "yticklabels": texts, "ylim": (len(names) - 0.5, -0.5)}
    return [
        panel(marks("hits", 100), moment(100 * HITS), x="hits (%)", xlim=(-4, 104), **rows),
        panel(marks("false_alarms"), x="false alarms", then=lambda axis: axis.set_xlim(-0.5, max(5.0, axis.get_xlim()[1]))),
        panel(marks("latency_ms"), moment(LATENCY_MS), x="latency (ms)", xlim=(0, 12)),
        panel(marks("found_s"), x="found (s)", xlim=(0, None)),
    ]


if __name__ == "__main__":
    script(PatternDetection.name)
