"""A comparison as tables for people, and as comma separated values."""

from __future__ import annotations

import csv
import html
import io
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from scipy.stats import binomtest

from bridges.comparison.answers import sentence
from bridges.comparison.energy import LEFT_OUT, joules
from plasticity.errors import PlasticityError, printable
from plasticity.parallel import FEW_SEEDS
from plasticity.statistics import LEVEL, told_ends

if TYPE_CHECKING:
    import pandas

    from bridges.comparison.result import Comparison

FIT = "Fit: seconds of training with its learning curve, compilation apart."
"""Stands under every table that shows both sides."""


def summary(comparison: Comparison, width: int | None = None) -> Table:
    """The summary as a `rich` table; accuracies in percent, intervals 95 % over seeds.

    Grouped by what a learner is given and has to learn. In fewer than 132 columns of text (`width`) an interval stands below its
    mean, chance and ceiling below the table; in fewer than 97 the time of a fit is left to summary.csv. No number is cut.
    """
    count = len(comparison.seeds)
    wide, narrow = width is None or width >= 132, width is not None and width < 97
    table = Table(
        title=f"{printable(comparison.title)}: {len(comparison.learners)} learners, {count} seed{'s' if count != 1 else ''}",
        title_justify="left",
    )
    columns = {  # title, and whether it is shown
        "learner": True,
        "accuracy %\n[95 % interval]": True,
        "chance\n%": wide,
        "ceiling\n%": wide,
        "to the best, points\n[95 % interval]": True,
        "fit\ns": not narrow,
    }
    for title in (title for title, shown in columns.items() if shown):
        plain = title if wide or title == "learner" else title.replace("\n", " ")
        table.add_column(plain, justify="left" if title == "learner" else "right", no_wrap=wide or title == "learner")
    told = comparison.to_json()
    apart = {entry["a"]: entry for entry in told["differences"]}
    entries = {learner["name"]: learner for learner in told["learners"]}
    shown = [*columns.values()]
    for group, names in comparison.groups.items():
        table.add_section()
        if len(comparison.groups) > 1:
            table.add_row(group, *[""] * (sum(shown) - 1), style="italic")
        for name in names:
            accuracy, difference, gap = entries[name]["accuracy"], apart.get(name), " " if wide else "\n"
            cells = [
                comparison.shown(name),
                f"{100 * accuracy['mean']:.1f}{gap}{told_ends(accuracy)}",
                f"{100 * comparison.chance:.0f}",
                f"{100 * comparison.ceiling:.0f}",
                f"{100 * difference['mean']:+.1f}{gap}{told_ends(difference, '+')}"
                if difference and difference["mean"] is not None
                else "best",
                f"{entries[name]['seconds']:.1f}",
            ]
            kept = [cell for cell, there in zip(cells, shown, strict=True) if there]
            table.add_row(*kept, style="bold" if name == comparison.best else None)
    below = [] if wide else [f"Chance {100 * comparison.chance:.0f} %, ceiling {100 * comparison.ceiling:.0f} %."]
    below += ["Times of a fit: summary.csv, or a wider window."] if narrow else []
    table.caption = "\n".join([*below, caption(comparison)])
    table.caption_justify = "left"
    return table


SPACE = 2  # between two columns of the short table
GROUP = ("is given", "has to learn")
DROPPED = ("fit s", "to the best, points")  # as the window is narrower


def brief(comparison: Comparison, width: int | None = None) -> list[Any]:
    """What fits one screen: a title, a table and the sentences that matter most, for a window of `width` columns.

    Accuracies in percent, intervals 95 % over seeds. No number is cut: where there is no room for a column, it is left out.
    """
    trials = many(comparison.of(comparison.learners[0])[0].numbers["training_trials"], "training trial")
    title = f"{comparison.title}: {many(len(comparison.learners), 'learner')}, {many(len(comparison.seeds), 'seed')}, {trials}"
    title += "; 95 % intervals" if len(comparison.seeds) > 1 else ""
    scale = _scale(comparison)
    told = _attended(comparison, None if width is None else 2 * width - len(scale) - 1)  # so that both take two lines
    below = [f"{scale} {told}".strip(), *_sentences(comparison)]
    return [title, _short_table(comparison, width), *below]


def many(count: int, word: str) -> str:
    """1 seed, 2 seeds."""
    return f"{count} {word}{'s' if count != 1 else ''}"


def _short_table(comparison: Comparison, width: int | None) -> Table:
    """A row for each learner; its group in columns of their own or, where there is no room for these, above its learners."""
    columns = _columns(comparison, " ")
    for left_out in (*DROPPED, *GROUP):
        if width is None or _needs(columns) <= width:
            break
        del columns[left_out]
    if width is not None and _needs(columns) > width:  # intervals below their means
        columns = {title: cells for title, cells in _columns(comparison, "\n").items() if title in columns}
    if not {*GROUP} <= {*columns}:
        columns = {title: cells for title, cells in columns.items() if title not in GROUP}
    table = Table(box=None, pad_edge=False, padding=(0, SPACE, 0, 0))
    longest = max(map(len, columns["learner"]))
    for title in columns:
        left = title == "learner" or title in GROUP
        most = longest if title == "learner" else None
        table.add_column(title, justify="left" if left else "right", overflow="fold", max_width=most)
    rows = iter(zip(*columns.values(), strict=True))
    for group, names in comparison.groups.items():
        if len(comparison.groups) > 1 and not {*GROUP} <= {*columns}:
            table.add_row(f"{group}:", *[""] * (len(columns) - 1), style="italic")
        for name in names:
            table.add_row(*next(rows), style="bold" if name == comparison.best else None)
    return table


def _columns(comparison: Comparison, gap: str) -> dict[str, list[str]]:
    """The cells of the short table by column, in the order of the groups; `gap` stands before an interval."""
    told = comparison.to_json()
    apart = {entry["a"]: entry for entry in told["differences"]}
    columns: dict[str, list[str]] = {}
    entries = {learner["name"]: learner for learner in told["learners"]}
    for name in (name for names in comparison.groups.values() for name in names):
        accuracy, other = entries[name]["accuracy"], apart.get(name)
        known = other is not None and other["mean"] is not None
        cells = {
            "learner": comparison.shown(name),
            "accuracy %": f"{100 * accuracy['mean']:.1f}{gap}{told_ends(accuracy)}",
            "to the best, points": f"{100 * other['mean']:+.1f}{gap}{told_ends(other, '+')}" if other and known else "best",
            "fit s": f"{entries[name]['seconds']:.1f}",
            **{title: ", ".join(entries[name][key]) or "nothing" for title, key in zip(GROUP, ("given", "learns"), strict=True)},
        }
        for title, cell in cells.items():
            columns.setdefault(title, []).append(cell)
    return columns


def as_html(comparison: Comparison) -> str:
    """The short table as HTML, the best learner in bold, on what scale below it."""
    columns = _columns(comparison, " ")
    rows = [list(cells) for cells in zip(*columns.values(), strict=True)]
    bold = [[name for names in comparison.groups.values() for name in names].index(comparison.best)]
    return html_table(f"{comparison.title}, {many(len(comparison.seeds), 'seed')}", [*columns], rows, _scale(comparison), bold)


def html_table(
    title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], note: str = "", bold: Collection[int] = ()
) -> str:
    """A table as HTML for a notebook: a title, a head for each column, rows of cells, a sentence below; `bold` rows stand out."""

    def line(cells: Iterable[Any], mark: str) -> str:
        return "<tr>" + "".join(f"<{mark}>{html.escape(str(cell))}</{mark}>" for cell in cells) + "</tr>"

    body = "".join(line(cells, "th" if place in bold else "td") for place, cells in enumerate(rows))
    below = f"<p>{html.escape(note)}</p>" if note else ""
    return f"<table><caption>{html.escape(title)}</caption><thead>{line(heads, 'th')}</thead><tbody>{body}</tbody></table>{below}"


def frame(rows: Iterable[Mapping[str, Any]]) -> pandas.DataFrame:
    """The rows as a pandas table.

    Raises
    ------
    PlasticityError
        pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise PlasticityError("a data frame needs pandas; type: pip install pandas") from None
    return pandas.DataFrame(list(rows))


def _needs(columns: Mapping[str, Sequence[str]]) -> int:
    """How many columns of text a table takes."""
    return sum(max(map(len, (title, *cells))) + SPACE for title, cells in columns.items()) - SPACE


def _scale(comparison: Comparison) -> str:
    """On what scale the accuracies lie, and what is to be known of them: the line below the table."""
    scale = f"Chance {100 * comparison.chance:.3g} %, ceiling {100 * comparison.ceiling:.3g} %"
    if comparison.without_attention is not None:
        scale += f", without attention at most {100 * comparison.without_attention:.0f} %"
    if any("sequences" in comparison.learns(name) for name in comparison.learners):
        scale += "; right is a whole sequence, from its first symbol to its last"
    told = comparison.to_json()
    known = [entry.get("accuracy", entry) for key in ("learners", "differences") for entry in told[key]]
    if any(one["mean"] is not None and told_ends(one) == "[-]" for one in known):
        scale += "; [-]: no interval (one seed, or all alike)"
    return f"{'; '.join([scale, *_beware(comparison)])}."


def _sentences(comparison: Comparison) -> list[str]:
    """Who is ahead among those that may be compared, and who is worse than no learning."""
    best = ahead(comparison) if len(comparison.groups) == 1 else []  # else the table tells, by its groups
    return [told for told in (sentence(comparison), *best, _below(comparison)) if told]


def ahead(comparison: Comparison) -> list[str]:
    """A sentence for each group of learners that are given the same: the best of each side, controls among them."""
    told = []
    for group, names in comparison.groups.items():
        if len(names) < 2:
            continue
        best: dict[str, str] = {}
        for name in sorted(names, key=lambda name: -comparison.numbers(name, "accuracy").mean()):
            best.setdefault(comparison.side(name), name)
        each = ", ".join(f"{name} {_percent(comparison, name)}" for name in best.values())
        told.append(f"{group[0].upper()}{group[1:]}: {each}.")
    return told


def _percent(comparison: Comparison, name: str) -> str:
    low, high = comparison.intervals[name]
    mean = 100 * comparison.numbers(name, "accuracy").mean()
    return f"{mean:.1f}" + ("" if low != low else f" [{100 * low:.1f}, {100 * high:.1f}]") + " %"


def _below(comparison: Comparison) -> str:
    """Learners that are right less often than one that always names the most frequent class, or guesses; where that is sure."""
    below = [name for name in comparison.learners if "classes" in comparison.learns(name) and _is_below(comparison, name)]
    if not below:
        return ""
    return f"Below chance ({100 * comparison.chance:.0f} %): {', '.join(below)}; nothing that was learnt helps there."


def _is_below(comparison: Comparison, name: str) -> bool:
    """Whether the 95 % interval is below chance: that over seeds or, where there is none, the exact one over trials of a seed."""
    high = comparison.intervals[name][1]
    if math.isfinite(high):
        return high < comparison.chance
    one = comparison.of(name)[0]
    trials = len(one.arrays["predictions"])
    right = round(trials * one.numbers["accuracy"])
    return bool(binomtest(right, trials).proportion_ci(1 - LEVEL).high < comparison.chance)


def _attended(comparison: Comparison, room: int | None = None) -> str:
    """By how much attended synapses end stronger where a gate selects; where there is room, in what they do so most without."""
    selecting = [name for name in comparison.strengthened if "gate" in comparison.given(name)]
    if not selecting:
        return ""
    entry = comparison.strengthened[selecting[0]]
    nulls = {name: value for name, value in comparison.strengthened.items() if name not in selecting}
    nulls |= {name: value for name, value in entry.get("nulls", {}).items() if value}
    told = f"Attended minus ignored weights of {selecting[0]}: {_weight(entry)}"
    if not nulls:
        return f"{told}."
    where, most = max(nulls.items(), key=lambda one: one[1]["mean"])
    told += f"; control: {most['mean']:.3f}"
    whole = f"{told} in {where}."
    return whole if room is None or len(whole) <= room else f"{told}."


def _weight(entry: Mapping[str, Any]) -> str:
    return f"{entry['mean']:.3f}" + ("" if entry["low"] is None else f" [{entry['low']:.3f}, {entry['high']:.3f}]")


def energy(comparison: Comparison, width: int | None = None) -> Table | None:
    """Energy as a `rich` table with its assumptions; None where nothing was counted.

    In fewer than 132 columns of text (`width`) batches of other sizes and spikes are left to summary.json.
    """
    told = comparison.costs
    if not told["rows"]:
        return None
    narrow = width is not None and width < 132
    columns = [column for column in told["columns"] if not (narrow and column["key"] in LEFT_OUT)]
    table = Table(title=told["title"], title_justify="left")
    for place, column in enumerate(columns):
        table.add_column(column["title"], justify="right" if place else "left", overflow="fold", no_wrap=not place)
    for row in told["rows"]:
        cells = []
        for column in columns:
            value = row[column["key"]]
            if isinstance(value, Mapping):
                value = joules(value["mean"]) if column["unit"] == "J" else format(value["mean"], column["format"])
            cells.append("-" if value is None else str(value))
        table.add_row(*cells)
    left = ["Batches of other sizes and spikes: summary.json, report.html, or a wider window."] if narrow else []
    table.caption = "\n".join(["Means over seeds.", *left, *told["notes"]])
    table.caption_justify = "left"
    return table


def protocol(comparison: Comparison) -> str:
    """How many trials, which seeds, and what is missing, in one sentence."""
    settings = comparison.configuration["settings"]
    records = [record for name in comparison.learners for record in comparison.of(name)]
    test = len(records[0].arrays["predictions"])
    parts = [f"{records[0].numbers['training_trials']} training trials"]
    if isinstance(settings.get("validation"), int):  # of a table it is a share
        parts.append(f"{settings['validation']} for validation")
    parts.append(f"{test} for the test; seeds {_ranges(comparison.seeds)}; one thread each")
    return f"{'; '.join([', '.join(parts), *_beware(comparison)])}."


def _beware(comparison: Comparison) -> list[str]:
    """What is missing, and what so few seeds cannot say."""
    jobs = len(comparison.seeds) * len(comparison.configuration["learners"])
    told = [f"{comparison.missing} of {jobs} jobs are not finished yet"] if comparison.missing else []
    told += [FEW_SEEDS] if len(comparison.seeds) < 6 else []
    return told + ([f"no corrected p can be below {comparison.least_p:.2g}"] if comparison.least_p > LEVEL else [])


def caption(comparison: Comparison) -> str:
    """How many trials, which seeds, what is missing; what is not alike; weights of attended and ignored synapses."""
    told = [f"{protocol(comparison)} Intervals: {comparison.interval_for}."]
    if {comparison.side(name) for name in comparison.learners} >= {"spiking", "torch"}:
        told.append(FIT)
    if comparison.strengthened:
        each = (f"{name} {_weight(entry)}" for name, entry in comparison.strengthened.items())
        told.append(f"Weight of attended minus ignored synapses after training, mean: {', '.join(each)}.")
        for name, entry in comparison.strengthened.items():
            nulls = ", ".join(f"{null} {_weight(value)}" for null, value in entry.get("nulls", {}).items() if value)
            told += (
                [f"The same measure elsewhere, on the trials of {name}: {nulls}."]
                if nulls and "gate" in comparison.given(name)
                else []
            )
    return "\n".join(told)


def csv_text(comparison: Comparison) -> str:
    """The summary as comma separated values, one line per learner."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        "learner side seeds accuracy accuracy_low accuracy_high chance ceiling best difference difference_low "
        "difference_high effect_gz p_holm seconds seconds_predict parameters training_trials given learns".split()
    )
    summary = comparison.to_json()
    apart = {entry["a"]: entry for entry in summary["differences"]}
    for learner in summary["learners"]:
        accuracy, other = learner["accuracy"], apart.get(learner["name"], {})
        row = [learner["name"], learner["side"], len(accuracy["seeds"]), accuracy["mean"], accuracy["low"], accuracy["high"]]
        row += [
            comparison.chance,
            comparison.ceiling,
            comparison.best,
            *(other.get(key) for key in ("mean", "low", "high", "effect", "p")),
        ]
        row += [learner["seconds"], learner["seconds_predict"], learner["parameters"], learner["training_trials"]]
        row += [" ".join(learner["given"]), " ".join(learner["learns"])]
        writer.writerow(["" if value is None else value for value in row])
    return text.getvalue()


def _short(value: float | None, pattern: str) -> str:
    return "-" if value is None else format(value, pattern)


def _ranges(numbers: Sequence[int]) -> str:
    """[0, 1, 2, 5] as "0-2, 5"."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)
