"""Pairs stored in synapses, or attended to: associative recall by Hebbian memories, softmax attention and trained models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.stats import ttest_1samp

from plasticity.errors import WrongUse
from plasticity.memory import RateMemory, SpikingMemory
from plasticity.parallel import Progress, each
from plasticity.settings import setting
from plasticity.statistics import holm, interval
from plasticity.tasks import AssociativeRecall, Trials
from plasticity.tasks.associative_recall import distinct_signs
from simulations.simulation import Check, Outcome, Simulation, script

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from plasticity.records import Record

SPIKING, HEBB, DELTA, SOFTMAX = MEMORIES = ("spiking_memory", "hebb_memory", "delta_memory", "softmax_memory")
CURVE = 200  # points of a line
SHOWN = 8  # pairs whose maps are drawn
LAW = "superposition of random keys: E (k.q)^2 = 1/d; Kohonen 1972, doi:10.1109/TC.1972.5008975"


@dataclass(frozen=True)
class HebbianAttention(Simulation):
    """How many pairs of a key and a value can be recalled, by memories in synapses and by attention, on the same trials.

    Keys are random signs of length d, values one of some classes (`AssociativeRecall`). Four memories store n pairs in one shot,
    without any training, and are asked for some of them: spikes and synapses in Brian2 (`SpikingMemory`), Hebbian outer
    products of rates, which are unnormalised linear attention, the delta rule, and softmax attention on the keys as they are
    (`RateMemory`). Models trained by gradient meet the same test trials, after training trials with other pairs.

    Measured are the accuracy (chance 1/values, ceiling 1) and the squared error of what is recalled, |y - v|^2 with |v| = 1. For
    superposed outer products its mean is (n - 1)/d. What Poisson spikes add follows from their rates alone
    (`SpikingMemory.expected_error`).

    Read with care: the memories are built for the task, the models must find out from training trials what is key, value and
    query. The learnt twin of the Hebbian memory is `fast_weights`. Linear attention is another thing: its feature map elu + 1 is
    positive and its weights are normalised, so that no stored pair can be called with a minus sign.

    The delta rule disturbs less and yet recalls fewer values where pairs are many: each pair takes from what the earlier ones
    have left at similar keys, so that the earliest are read out ever more weakly, below the disturbance by others.

    Shown besides: what each of 8 queries calls, the spikes of the value neurons beside the inner products of the keys and
    the weights of attention.
    """

    name: ClassVar[str] = "hebbian_attention"
    summary: ClassVar[str] = "associative recall: synapses that store pairs in one shot against attention, fixed and trained"
    source: ClassVar[str] = "Schlag, Irie & Schmidhuber 2021, arXiv:2102.11174; Ramsauer et al. 2021, arXiv:2008.02217"
    default_seeds: ClassVar[int] = 10
    uses: ClassVar[tuple[str, ...]] = ("pair_stdp", *SpikingMemory.uses)

    pairs: tuple[int, ...] = setting((1, 2, 4, 8, 16, 32, 64), "pairs n that are stored", low=1, high=1000)
    dimensions: tuple[int, ...] = setting((16, 32, 64), "lengths d of the keys", low=8, high=1000)
    values: int = setting(10, "possible values", low=SHOWN, high=1000)
    memories: int = setting(50, "memories for each condition and seed", low=1, high=100_000)
    queries: int = setting(4, "queries to each memory, at most one a pair", low=1, high=1000)
    trained: tuple[str, ...] = setting(
        ("linear_attention", "fast_weights", "softmax_attention", "transformer_encoder"),
        "models trained by gradient; none where empty",
    )
    trained_pairs: tuple[int, ...] = setting((8,), "pairs n at which they are trained and tested", low=1, high=1000)
    trained_dimension: int = setting(32, "length d of their keys", low=8, high=1000)
    train: int = setting(4000, "their training trials", "trials", low=10, high=10_000_000)
    hidden: int = setting(96, "their hidden units", low=1, high=10_000)
    parts: str = ""

    def task(self, pairs: int, dimension: int) -> AssociativeRecall:
        """The task of one condition; its test trials do not depend on `train`."""
        queries = min(self.queries, pairs)
        return AssociativeRecall(
            pairs=pairs,
            dimension=dimension,
            values=self.values,
            queries=queries,
            train=-(-self.train // queries) * queries,
            validation=-(-300 // queries) * queries,
            test=self.memories * queries,
        )

    def run(self, seeds: Sequence[int], jobs: int, progress: Progress) -> Outcome:
        """Recall by all memories, then training and test of the models."""
        self._refuse()
        share = 0.4 if self.trained else 1.0
        shape = (len(MEMORIES), len(self.dimensions), len(self.pairs), len(seeds))
        accuracy, error = np.empty(shape), np.empty(shape)
        law = np.empty((len(self.dimensions), len(self.pairs)))
        curve = np.empty((len(self.dimensions), CURVE))
        backend = ""
        found = each(
            _recall,
            [(self, dimension, seed) for dimension in self.dimensions for seed in seeds],
            jobs,
            lambda fraction, note="": progress(share * fraction, note=note),
        )
        for (_, dimension, seed), result in found:
            d, s = self.dimensions.index(dimension), list(seeds).index(seed)
            accuracy[:, d, :, s], error[:, d, :, s] = result["accuracy"], result["error"]
            law[d], curve[d], backend = result["law"], result["curve"], result["backend"]
        trained = np.empty((len(self.trained), len(self.trained_pairs), len(seeds)))
        for place, pairs in enumerate(self.trained_pairs if self.trained else ()):
            begin, width = share + (1 - share) * place / len(self.trained_pairs), (1 - share) / len(self.trained_pairs)
            note = f"training, {pairs} pairs"
            trained[:, place] = self._train(
                pairs, seeds, jobs, lambda done, *_, a=begin, b=width, c=note: progress(a + b * done, note=c)
            )
        maps = self._maps(int(seeds[0]))
        numbers, checks = _judge(self, accuracy, error, law, trained)
        progress(1.0)
        arrays = {"accuracy": accuracy, "error": error, "law_and_spikes": curve, "trained": trained, **maps}
        return Outcome(numbers, checks, arrays, backend)

    def _refuse(self) -> None:
        """WrongUse for what could not be run later."""
        from bridges.roster import LEARNERS

        if len({*self.trained}) < len(self.trained):
            raise WrongUse(f"trained={','.join(self.trained)} names a model twice; name each once.")
        for name in self.trained:
            if LEARNERS[name].side != "torch":
                raise WrongUse(f"{name} is no model trained by gradient; `plasticity list models` shows those.")
        conditions = [(n, d) for n in self.pairs for d in self.dimensions]
        for pairs, dimension in [*conditions, *((n, self.trained_dimension) for n in (*self.trained_pairs, SHOWN))]:
            self.task(pairs, dimension)

    def _train(self, pairs: int, seeds: Sequence[int], jobs: int, progress: Any) -> np.ndarray:
        """Test accuracy of every trained model for every seed, (models, seeds)."""
        from bridges import compare

        out = Path(self.parts) / f"trained-{pairs}" if self.parts else None
        task = self.task(pairs, self.trained_dimension)
        found = compare(
            self.trained, task, seeds, jobs=jobs, out=out, progress=progress, settings={"torch": {"hidden": self.hidden}}
        )
        return np.array([found.numbers(name, "accuracy") for name in self.trained])

    def _maps(self, seed: int) -> dict[str, np.ndarray]:
        """What each of `SHOWN` queries calls of as many pairs with a value each, (queries, pairs)."""
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,)))
        dimension, streams = self.trained_dimension, SHOWN + 1
        keys = distinct_signs(rng, 1, SHOWN, dimension)[0]
        stimulus = np.zeros((SHOWN, streams, dimension + self.values))
        stimulus[:, :-1, :dimension] = keys
        stimulus[:, :-1, dimension:] = np.eye(self.values)[:SHOWN]
        stimulus[:, -1, :dimension] = keys
        label = np.arange(SHOWN)
        number = np.tile(np.arange(streams), (SHOWN, 1))
        shown = Trials(stimulus, np.full(SHOWN, SHOWN), label, np.minimum(number, SHOWN - 1), number, self.values)
        spiking = SpikingMemory(streams=streams, dimension=dimension, random_state=seed).fit(shown.X, shown.y)
        maps = {"map_synapses": spiking.recall(shown.X)[:, :SHOWN]}
        for rule in ("hebb", "softmax"):
            memory = RateMemory(rule, streams=streams, dimension=dimension).fit(shown.X, shown.y)
            maps[f"map_{rule}"] = memory.attention_weights(shown.X)[:, :SHOWN]
        if "softmax_attention" in self.trained:
            from bridges.jobs import trials_generator
            from bridges.roster import resolve

            task = self.task(SHOWN, dimension)
            model = resolve(["softmax_attention"], {"torch": {"hidden": self.hidden}}, task)[0].estimator.set_params(
                random_state=seed
            )
            draw = task.draw(trials_generator(seed))
            model.fit(draw.train.X, draw.train.y, probe=(draw.validation.X, draw.validation.y))
            maps["map_trained"] = model.attention_weights(shown.X)[:, :SHOWN]
        return maps

    @classmethod
    def tables(cls, numbers: Mapping[str, Any]) -> dict[str, tuple[list[str], list[list[str]]]]:
        """What was recalled, a table for each length of the keys."""
        lengths = sorted({row["dimension"] for row in numbers["results"]})
        return {
            f"values recalled of n pairs, % of test trials [95 % interval], keys of length {d}": _recalled(numbers, d)
            for d in lengths
        }

    def figures(self, record: Record) -> dict[str, Figure]:
        """Error and accuracy against the number of pairs; what each query calls."""
        from simulations import figures

        with figures.style():
            return {"accuracy": accuracy_figure(record), "error": error_figure(record), "maps": maps_figure(record)}


def _memory(name: str, pairs: int, dimension: int, seed: int) -> RateMemory | SpikingMemory:
    if name == SPIKING:
        return SpikingMemory(streams=pairs + 1, dimension=dimension, random_state=seed)
    return RateMemory(name.removesuffix("_memory"), streams=pairs + 1, dimension=dimension)


def _recall(item: tuple[HebbianAttention, int, int], tell: Progress) -> dict[str, Any]:
    """All memories on the test trials of one seed, for every number of pairs."""
    from bridges.jobs import trials_generator

    simulation, dimension, seed = item
    shape = (len(MEMORIES), len(simulation.pairs))
    accuracy, error = np.empty(shape), np.empty(shape)
    found: dict[str, Any] = {"accuracy": accuracy, "error": error}
    for place, pairs in enumerate(simulation.pairs):
        test = simulation.task(pairs, dimension).draw(trials_generator(seed)).test
        wanted = np.eye(simulation.values)[test.y]
        for row, name in enumerate(MEMORIES):
            memory = _memory(name, pairs, dimension, seed).fit(test.X, test.y)
            recalled = memory.recall(test.X)
            accuracy[row, place] = np.mean(recalled.argmax(axis=1) == test.y)
            error[row, place] = np.mean(((recalled - wanted) ** 2).sum(axis=1))
            if isinstance(memory, SpikingMemory):
                law, curve = memory.expected_error(simulation.pairs), memory.expected_error(_finely(simulation.pairs))
                found |= {"law": law, "curve": curve, "backend": memory.backend_}
        tell(sum(simulation.pairs[: place + 1]) / sum(simulation.pairs))
    return found


def _finely(pairs: Sequence[int]) -> np.ndarray:
    """Numbers of pairs for a line, (`CURVE`,)."""
    return np.geomspace(1, max(pairs), CURVE)


def _judge(
    simulation: HebbianAttention, accuracy: np.ndarray, error: np.ndarray, with_spikes: np.ndarray, trained: np.ndarray
) -> tuple[dict[str, Any], list[Check]]:
    """Numbers with intervals over seeds, and the law."""
    n, d = np.array(simulation.pairs), np.array(simulation.dimensions)[:, None]
    law = (n - 1) / d  # (dimensions, pairs)
    results = []
    for row, name in enumerate(MEMORIES):
        for i, dimension in enumerate(simulation.dimensions):
            for j, pairs in enumerate(simulation.pairs):
                results.append(
                    {
                        "learner": name,
                        "dimension": dimension,
                        "pairs": pairs,
                        "accuracy": _with_interval(accuracy[row, i, j]),
                        "error": _with_interval(error[row, i, j]),
                        "law": float(law[i, j]),
                        "law_and_spikes": float(with_spikes[i, j]),
                    }
                )
    for row, name in enumerate(simulation.trained):
        for j, pairs in enumerate(simulation.trained_pairs):
            results.append(
                {
                    "learner": name,
                    "dimension": simulation.trained_dimension,
                    "pairs": pairs,
                    "accuracy": _with_interval(trained[row, j]),
                }
            )
    numbers: dict[str, Any] = {"chance": 1 / simulation.values}
    checks = []
    for row, name, expected, what in (
        (MEMORIES.index(HEBB), HEBB, law, "(n - 1)/d"),
        (MEMORIES.index(SPIKING), SPIKING, with_spikes, "(n - 1)/d and what spikes add"),
    ):
        known = np.isfinite(expected) & (expected > 0)
        if not known.any():
            continue
        ratio = (error[row] / np.where(known, expected, np.nan)[:, :, None])[known]  # (conditions, seeds)
        told = numbers[f"{name}: error over {what}"] = _with_interval(ratio.mean(axis=0))
        checks.append(Check(f"{name}: squared error over {what}, mean of all conditions", 1.0, told["mean"], 0.05, LAW))
        if ratio.shape[1] > 2:
            smallest = float(min(holm(ttest_1samp(ratio, 1.0, axis=1).pvalue)))
            wanted = f"no Holm p below 0.01 over the {len(ratio)} conditions"
            holds = smallest > 0.01
            checks.append(
                Check(f"{name}: no condition strays from {what}", wanted, f"smallest p {smallest:.2g}", "t-test", LAW, holds)
            )
    for i, dimension in enumerate(simulation.dimensions):
        for j, pairs in enumerate(simulation.pairs):
            gain = accuracy[MEMORIES.index(SOFTMAX), i, j] - accuracy[0, i, j]
            if gain.any():
                numbers[f"softmax_memory - spiking_memory, d {dimension}, n {pairs}"] = _with_interval(gain)
    numbers["results"] = results
    return numbers, checks


def _with_interval(values: np.ndarray) -> dict[str, float]:
    low, high = interval(values) if len(values) > 1 else (float("nan"), float("nan"))
    return {"mean": float(np.mean(values)), "low": float(low), "high": float(high)}


def _recalled(numbers: Mapping[str, Any], dimension: int) -> tuple[list[str], list[list[str]]]:
    """Accuracy of every learner at one length of the keys, in percent: columns and rows."""
    told = [row for row in numbers["results"] if row["dimension"] == dimension]
    pairs = sorted({row["pairs"] for row in told})
    fixed = {row["learner"] for row in told if "error" in row}
    rows = []
    for name in dict.fromkeys(row["learner"] for row in told):
        found = {row["pairs"]: row["accuracy"] for row in told if row["learner"] == name}
        rows.append([f"{name}{'' if name in fixed else ', trained'}", *(_percent(found.get(n)) for n in pairs)])
    return ["learner", *(f"n = {n}" for n in pairs)], rows


def _percent(share: Mapping[str, Any] | None) -> str:
    if share is None:
        return ""
    known = share["low"] is not None and share["low"] < share["high"]
    return f"{100 * share['mean']:.1f}" + (f" [{100 * share['low']:.1f}, {100 * share['high']:.1f}]" if known else "")


def markdown(numbers: Mapping[str, Any], dimension: int = 32) -> str:
    """Accuracy of every learner at one length of the keys, as a table in markdown."""
    columns, rows = _recalled(numbers, dimension)
    return "\n".join(f"| {' | '.join(cells)} |" if cells else "|---" * len(columns) + "|" for cells in (columns, [], *rows))


# Figures

_LOOKS = {
    SPIKING: ("VERMILION", "-", "o", "spiking memory (Brian2)"),
    HEBB: ("ORANGE", "--", "s", "Hebb, rates = linear attention"),
    DELTA: ("PURPLE", "-.", "^", "delta rule"),
    SOFTMAX: ("BLUE", "-", "D", "softmax attention, fixed"),
}
_TRAINED = {
    "linear_attention": ("GREEN", "P"),
    "fast_weights": ("ORANGE", "p"),
    "softmax_attention": ("SKY", "X"),
    "transformer_encoder": ("BLACK", "*"),
}


def _rows(record: Record, learner: str, dimension: int) -> list[dict[str, Any]]:
    return [row for row in record.numbers["results"] if row["learner"] == learner and row["dimension"] == dimension]


def _curve(axis: Any, rows: list[dict[str, Any]], key: str, scale: float = 1.0, **look: Any) -> None:
    x = np.array([row["pairs"] for row in rows])
    mean, low, high = (
        scale * np.array([np.nan if row[key][name] is None else row[key][name] for row in rows], dtype=float)
        for name in ("mean", "low", "high")
    )
    axis.plot(x, mean, **look)
    axis.vlines(x, low, high, color=look["color"], linewidth=1.5)


def accuracy_figure(record: Record) -> Figure:
    """Accuracy against the number of pairs, one panel for each length of the keys."""
    from simulations import figures

    settings = record.configuration["settings"]
    figure, axes = figures.new(3.1 * len(settings["dimensions"]) + 0.4, 3.9, columns=len(settings["dimensions"]), sharey=True)
    handles: dict[str, Any] = {}
    for axis, dimension in zip(axes[0], settings["dimensions"], strict=True):
        for name, (colour, line, marker, label) in _LOOKS.items():
            look = {"color": getattr(figures, colour), "linestyle": line, "marker": marker, "markersize": 4, "label": label}
            _curve(axis, _rows(record, name, dimension), "accuracy", 100, **look)
        for place, name in enumerate(settings["trained"] if dimension == settings["trained_dimension"] else ()):
            colour, marker = _TRAINED.get(name, ("GREY", "v"))
            label = f"{name.replace('_', ' ')}, trained by gradient"
            look = {"color": getattr(figures, colour), "linestyle": "", "marker": marker, "markersize": 7, "label": label}
            rows = [{**row, "pairs": row["pairs"] * (1.06 + 0.1 * place)} for row in _rows(record, name, dimension)]
            _curve(axis, rows, "accuracy", 100, **look)
        axis.axhline(100 * record.numbers["chance"], color=figures.GREY, linestyle=":", linewidth=1)
        axis.annotate("chance", (1, 100 * record.numbers["chance"]), (2, 3), textcoords="offset points", fontsize=8)
        axis.set_xscale("log", base=2)
        axis.set_xticks(settings["pairs"], [str(n) for n in settings["pairs"]])
        axis.minorticks_off()
        axis.set_ylim(0, 103)
        axis.set_xlabel("pairs n")
        axis.set_title(f"keys of length d = {dimension}", loc="left")
        handles |= dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
    axes[0, 0].set_ylabel("value recalled (% of test trials)")
    figures.caption(figure, figures.over_seeds(record.arrays["accuracy"].shape[3]))
    figures.legend(figure, list(handles.values()), list(handles), columns=4)
    return figure


def error_figure(record: Record) -> Figure:
    """Squared error of a recall against the number of pairs, with the law (n - 1)/d."""
    from simulations import figures

    settings = record.configuration["settings"]
    figure, axes = figures.new(3.1 * len(settings["dimensions"]) + 0.4, 3.9, columns=len(settings["dimensions"]), sharey=True)
    pairs = _finely(settings["pairs"])
    for axis, dimension, curve in zip(axes[0], settings["dimensions"], record.arrays["law_and_spikes"], strict=True):
        axis.plot(pairs, (pairs - 1) / dimension, color=figures.BLACK, linewidth=1, label="law: (n − 1)/d")
        axis.plot(pairs, curve, color=figures.BLACK, linestyle=":", linewidth=1.2, label="law and what spikes add")
        for name, (colour, _, marker, label) in _LOOKS.items():
            look = {"color": getattr(figures, colour), "linestyle": "", "marker": marker, "markersize": 4, "label": label}
            rows = [row for row in _rows(record, name, dimension) if row["error"]["mean"] > 1e-5]
            _curve(axis, rows, "error", **look)
        axis.set_xscale("log", base=2)
        axis.set_yscale("log")
        axis.set_xticks(settings["pairs"], [str(n) for n in settings["pairs"]])
        axis.minorticks_off()
        axis.set_ylim(1e-4, 10)
        axis.set_xlabel("pairs n")
        axis.set_title(f"keys of length d = {dimension}", loc="left")
    axes[0, 0].set_ylabel("squared error |y − v|², |v| = 1")
    figures.caption(figure, figures.over_seeds(record.arrays["error"].shape[3]) + "; errors below 0.0001 are not shown")
    figures.legend(figure, *axes[0, 0].get_legend_handles_labels(), columns=3)
    return figure


def maps_figure(record: Record) -> Figure:
    """What each query calls of the stored pairs: synapses and spikes beside inner products and attention."""
    from simulations import figures

    titles = {
        "map_synapses": "synapses: spikes above\nbaseline / perfect match",
        "map_hebb": "Hebb: inner product\nof the keys",
        "map_softmax": "softmax attention, fixed:\nweight",
        "map_trained": "softmax attention, trained:\nweight",
    }
    shown = {name: title for name, title in titles.items() if name in record.arrays}
    figure, axes = figures.new(2.3 * len(shown) + 0.7, 3.1, columns=len(shown), sharey=True)
    image: Any = None
    for axis, (name, title) in zip(axes[0], shown.items(), strict=True):
        image = axis.imshow(record.arrays[name], cmap="RdBu_r", vmin=-1, vmax=1)
        size = len(record.arrays[name])
        axis.set_xticks(range(size), [str(k + 1) for k in range(size)])
        axis.set_yticks(range(size), [str(k + 1) for k in range(size)])
        axis.set_xlabel("stored pair")
        axis.set_title(title, loc="left", fontsize=9)
    axes[0, 0].set_ylabel("query (key of pair)")
    figure.colorbar(image, ax=list(axes[0]), shrink=0.8, label="match (no unit)")
    return figure


if __name__ == "__main__":
    script(HebbianAttention)
