"""The program `plasticity`: list, show, run, compare, sweep, bench, plot, report, data.

What is for people goes to standard output as tables, progress goes to standard error; with --json the summary is the
only thing on standard output. Exit status: 0 done, 1 failed, 2 wrong use, 130 interrupted. Simulators are imported by
the commands that need them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import json
import logging
import re
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

app = typer.Typer(
    name="plasticity",
    help="How far does brain-like plasticity get against backprop? "
    "Brian2 spiking networks and PyTorch attention on the same trials.",
    epilog="Start with `plasticity compare cued_digits` or `plasticity list`.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Set = Annotated[
    list[str],
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; repeat for more. `plasticity show NAME` lists them."),
]
Seeds = Annotated[
    str, typer.Option("--seeds", metavar="N|LIST", help="How many seeds (10 means 0 to 9), or which ones: 0,3,5 or 5-9.")
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", metavar="N", help="Processes at a time. [default: one per core]", show_default=False)
]
Cluster = Annotated[
    str,
    typer.Option(
        "--cluster", metavar="ADDRESS", help="Send the jobs to a Dask scheduler, such as tcp://10.0.0.1:8786.", show_default=False
    ),
]
Measure = Annotated[
    str,
    typer.Option(
        "--measure", metavar="A,B", help="Of a sweep: which numbers to print and draw. [default: some]", show_default=False
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="DIR", help="Folder for records, table and figures. [default: results/NAME]", show_default=False
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace a finished run in the output folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON on standard output, and nothing else there.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


# Small parts


def _guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Every way a command ends: one sentence on standard error and the exit status; a traceback only under --debug."""

    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        from plasticity.errors import PlasticityError, WrongUse

        # at an interruption Brian2 complains of what it did not run
        logging.getLogger("brian2.core.base.unused_brian_object").setLevel(logging.ERROR)
        # and joblib of results that nobody read
        warnings.filterwarnings("ignore", ".*(still being processed by the workers|successfully executed).*", UserWarning)
        stopped: list[int] = []
        try:
            with _signals_interrupt(stopped):
                command(*args, **kwargs)
        except KeyboardInterrupt as stop:
            _tell(str(stop) or "interrupted.")
            code = 130
        except PlasticityError as error:
            _tell(f"error: {error}")
            code = 2 if isinstance(error, WrongUse) else 1
            if kwargs.get("debug"):
                traceback.print_exc()
        except BrokenPipeError:  # the reader of our output has gone (plasticity list | head)
            sys.stdout = None
            code = 1
        except Exception as error:
            if stopped:  # an interruption that came out of some library as another error
                _tell("interrupted.")
            else:
                _tell(
                    f"error: {type(error).__name__}: {' '.join(str(error).split())}"
                    + ("" if kwargs.get("debug") else " (--debug shows where)")
                )
            code = 130 if stopped else 1
            if kwargs.get("debug"):
                traceback.print_exc()
        else:
            return
        raise typer.Exit(code)

    return wrapper


@contextlib.contextmanager
def _signals_interrupt(stopped: list[int]) -> Iterator[None]:
    """SIGTERM ends a command as Ctrl-C does: no process stays behind, what is finished is kept. Both are noted in `stopped`."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, _: Any) -> None:
        stopped.append(number)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def _print(*things: Any) -> None:
    console = _console()
    for thing in things:
        console.print(thing, highlight=False, markup=False) if isinstance(thing, str) else console.print(thing)


def _console() -> Console:
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=200)  # a file or a pipe has no width


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], whole: Sequence[str] | None = None) -> Table:
    """A table that folds its cells, but for those of the columns in `whole`, the first one if not told; a doi is not folded."""
    from rich.table import Table
    from rich.text import Text

    table, width = Table(title=title, title_justify="left"), _console().width
    for place, column in enumerate(columns):
        longest = max((len(word) for row in rows for word in str(row[place]).split()), default=0)
        table.add_column(
            column,
            overflow="fold",
            no_wrap=not place if whole is None else column in whole,
            min_width=min(longest, width // 4) if column == "source" else None,
        )
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    return table


def _checks(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """A table of checks, whose last column are sources; a window of fewer than 120 columns has no room for these."""
    if _console().width >= 120:
        return _table(title, columns, rows, whole=("holds",))
    table = _table(title, columns[:-1], [row[:-1] for row in rows], whole=("holds",))
    table.caption = "Sources: summary.json, or a wider window."
    table.caption_justify = "left"
    return table


@contextlib.contextmanager
def _bar(label: str) -> Iterator[Callable[..., None]]:
    """One progress bar on standard error; yields what takes (fraction, finished, total) or a fraction alone."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[jobs]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        speed_estimate_period=120,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    line = bar.add_task(label, total=1.0, jobs="")

    def show(fraction: float, finished: int | None = None, total: int | None = None, note: str = "") -> None:
        bar.start()  # not before there is work: a refusal shows no bar
        bar.update(line, completed=fraction, jobs=note if total is None else f"{finished}/{total} jobs")

    try:
        yield show
    finally:
        if bar.live.is_started:
            bar.stop()
            if not console.is_terminal:
                console.print()  # rich leaves the line open there


def parse_seeds(text: str) -> list[int]:
    """ "10" as 0 to 9; "0,3,5", "5-9" and "0-4,8" as written.

    Raises
    ------
    WrongUse
        No seeds, or something that is not a whole number.
    """
    from bridges.jobs import check_seeds
    from plasticity.errors import WrongUse

    try:
        if text.strip().isdigit():
            return check_seeds(range(_at_most(int(text))))
        listed: list[int] = []
        for part in filter(None, (part.strip() for part in text.split(","))):
            first, dash, last = part.partition("-")
            if dash and int(last) < int(first):
                raise WrongUse(f"--seeds {part} ends before it begins; write the smaller seed first, such as {last}-{first}.")
            _at_most(int(last) - int(first) if dash else 1)
            listed.extend(range(int(first), int(last) + 1) if dash else [int(part)])
    except ValueError as error:
        if isinstance(error, WrongUse):
            raise
        raise WrongUse(f"--seeds takes a number of seeds or a list, such as 10 or 0,3,5 or 5-9, not {text!r}.") from None
    return check_seeds(listed)


def _at_most(number: int, most: int = 100_000) -> int:
    from plasticity.errors import WrongUse

    if number > most:
        raise WrongUse(f"--seeds asks for {number} seeds; {most} is the most. One seed is written with a comma: {number},")
    return number


# What is known


def registries() -> dict[str, Callable[[], Mapping[str, Any]]]:
    """The kinds of things that have a name; each is imported when it is asked for."""

    def load(module: str, name: str) -> Callable[[], Mapping[str, Any]]:
        def get() -> Mapping[str, Any]:
            from importlib import import_module

            return getattr(import_module(module), name)

        return get

    return {
        "rules": load("plasticity.rules", "RULES"),
        "landings": load("plasticity.rules", "LANDINGS"),
        "gates": load("plasticity.gates", "GATES"),
        "neurons": load("plasticity.neurons", "NEURONS"),
        "encoders": load("plasticity.encoders", "ENCODERS"),
        "tasks": load("plasticity.tasks", "TASKS"),
        "models": load("bridges.models", "MODELS"),
        "learners": load("bridges.roster", "LEARNERS"),
        "simulations": load("simulations", "SIMULATIONS"),
    }


def _line(entry: Any) -> tuple[str, str]:
    summary = getattr(entry, "summary", "") or (inspect.getdoc(entry) or "").partition("\n")[0]
    return str(summary), str(getattr(entry, "source", ""))


@app.command("list")
@_guarded
def list_(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="rules, landings, gates, neurons, encoders, tasks, models, learners or simulations; all if left out."
        ),
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """What there is: one line and one source each."""
    from plasticity.errors import unknown

    kinds = registries()
    if kind is not None and kind not in kinds:
        raise unknown("kind", kind, kinds)
    rows = [
        {"kind": title, "name": name, "summary": _line(entry)[0], "source": _line(entry)[1]}
        for title in ([kind] if kind else kinds)
        for name, entry in kinds[title]().items()
    ]
    if as_json:
        _print_json(rows)
        return
    for title in [kind] if kind else kinds:
        chosen = [(row["name"], row["summary"], row["source"]) for row in rows if row["kind"] == title]
        _print(_table(title, ("name", "what it is", "source"), chosen))
    _print("`plasticity show NAME` tells more about one of them.")


def _parameters(kind: str, entry: Any) -> list[dict[str, Any]]:
    """What can be set: name, default, unit, meaning, choices."""
    from plasticity import settings

    if kind == "learners":
        made = entry.build()
        values, meaning = made.get_params(deep=False), documented(made)
        order = [key for key in inspect.signature(type(made)).parameters if key in values and key != "random_state"]
        return [{"name": key, "default": values[key], "unit": "", "help": meaning.get(key, ""), "choices": ()} for key in order]
    if isinstance(getattr(entry, "parameters", None), Mapping):
        meaning = getattr(entry, "meaning", {})
        return [
            {"name": key, "default": value, "unit": "", "help": meaning.get(key, ""), "choices": ()}
            for key, value in entry.parameters.items()
        ]
    if not dataclasses.is_dataclass(entry):
        return []
    declared = [dataclasses.asdict(found) for found in settings.describe(entry)]
    if declared:
        return declared
    meaning = documented(entry)
    return [
        {"name": f.name, "default": f.default, "unit": "", "help": meaning.get(f.name, ""), "choices": ()}
        for f in dataclasses.fields(entry)
        if inspect.isclass(entry) and f.init and f.default is not dataclasses.MISSING
    ]


def documented(entry: Any) -> dict[str, str]:
    """What the docstring says of each parameter ("name, name : type" and the indented lines below it)."""
    found = re.findall(r"^(\w+(?:, \w+)*) : .*\n((?:    .*\n?)+)", inspect.getdoc(entry) or "", flags=re.MULTILINE)
    return {name: " ".join(text.split()) for names, text in found for name in names.split(", ")}


_HOW = {
    "tasks": "plasticity compare {name} --set KEY=VALUE",
    "simulations": "plasticity run {name} --set KEY=VALUE",
    "learners": "plasticity compare {task} --learners {name} --set {name}.KEY=VALUE",
}


@app.command()
@_guarded
def show(
    name: Annotated[str, typer.Argument(help="The name of a rule, gate, neuron, encoder, task, model, learner or simulation.")],
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """All about one thing: equations, settings with default and unit, source."""
    from plasticity.errors import unknown

    found: list[tuple[str, Any]] = []
    known: list[str] = []
    for kind, get in registries().items():
        registry = get()
        known.extend(registry)
        if name in registry:
            found.append((kind, registry[name]))
    if "+" in name:
        from plasticity.rules import named

        found.append(("rules", named(name)))
    if not found:
        raise unknown("name", name, set(known))
    described: list[dict[str, Any]] = []
    for kind, entry in found:
        summary, source = _line(entry)
        if not inspect.isclass(entry) and callable(getattr(entry, "describe", None)):
            text = entry.describe()
        else:
            text = inspect.getdoc(entry.build() if kind == "learners" else entry) or ""
        parameters = [
            {key: _readable(value) if key == "default" else value for key, value in parameter.items()}
            for parameter in _parameters(kind, entry)
        ]
        if kind == "rules":
            from plasticity.rules.preview import preview
            from simulations import SIMULATIONS
            from simulations.citations import reproductions

            each = [part.name for part in entry.parts] or [name]
            lines = dict.fromkeys(line for part in each for line in reproductions(part, SIMULATIONS))
            told = ", ".join(f"plasticity {line}" for line in lines)
            parts = [f"  reproductions: {told or 'none; the tests hold it against a loop over events'}"]
            curve = preview(entry) or "  no curve here: the change depends on more than the lag of two spikes or two held rates"
            code = " + ".join(f"pl.rules.{part}" for part in each)
            use = f"  in Python: rule = {code}; help(rule.synapses) says what goes with it (gate, landing, short_term, traces)"
            text = "\n\n".join([text, curve, *parts, use])
        elif kind == "landings":
            text += f"\n\nin Python, for every rule alike:\n    {entry.example}"
        described.append(
            {
                "kind": kind[:-1],
                "name": name,
                "summary": summary,
                "source": source,
                "settings": parameters,
                "description": str(text),
            }
        )
    if as_json:
        _print_json(described[0] if len(described) == 1 else described)
        return
    for (kind, entry), about in zip(found, described, strict=True):
        if not inspect.isclass(entry) and callable(getattr(entry, "describe", None)):
            _print(about["description"], "")  # it tells all of this itself
            continue
        source = f"source: {about['source']}" if about["source"] else ""
        _print(f"{about['name']} ({about['kind']}): {about['summary']}", source, "")
        if about["description"]:
            _print(about["description"], "")
        if about["settings"]:
            rows = [
                (
                    row["name"],
                    row["default"],
                    row["unit"],
                    row["help"] + (f" ({', '.join(row['choices'])})" if row["choices"] else ""),
                )
                for row in about["settings"]
            ]
            _print(_table("settings", ("name", "default", "unit", "meaning"), rows))
        if kind in _HOW:
            task = "digits" if getattr(entry, "streams", "") == "one" else "cued_digits"
            _print("use: " + _HOW[kind].format(name=name, task=task), "")


def _readable(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return ",".join(str(_readable(entry)) for entry in value)
    if hasattr(value, "name") and hasattr(value, "parameters"):
        return f"{value.name}({', '.join(f'{symbol}={number}' for symbol, number in value.parameters.items())})"
    return str(value)


# What it does


@app.command()
@_guarded
def compare(
    task: Annotated[str, typer.Argument(help="The task; `plasticity list tasks` shows them.")],
    learners: Annotated[
        str,
        typer.Option(
            "--learners",
            metavar="A,B",
            help="Which learners, with commas between. [default: those that suit the task]",
            show_default=False,
        ),
    ] = "",
    seeds: Seeds = "10",
    jobs: Jobs = None,
    cluster: Cluster = "",
    set_: Set = [],  # noqa: B006  (typer reads it and never changes it)
    out: Out = None,
    force: Force = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Put learners of both sides on the same trials and compare them.

    --set KEY=VALUE changes the task (--set train=1000), --set LEARNER.KEY=VALUE a learner, --set spiking.KEY=VALUE and
    --set torch.KEY=VALUE all learners of that side, --set energy.KEY=VALUE what an operation costs (energy.sram_pj=2.5). An
    interrupted comparison goes on where it stopped: give the same command again.
    """
    from bridges import comparison as bridge
    from bridges.energy import EnergyTable
    from plasticity import settings
    from plasticity.errors import WrongUse
    from plasticity.parallel import cluster as on_cluster
    from plasticity.tasks import TASKS
    from simulations import SIMULATIONS
    from simulations import report as report_

    if task in SIMULATIONS:
        raise WrongUse(f"{task} is a simulation, not a task; type `plasticity run {task}`.")
    kind = TASKS[task]
    chosen = [name.strip() for name in learners.split(",") if name.strip()] or None
    for_task: dict[str, str] = {}
    for_learners: dict[str, dict[str, str]] = {}
    for key, value in settings.parse(set_).items():
        owner, dot, name = key.partition(".")
        if dot:
            for_learners.setdefault(owner, {})[name] = value
        else:
            for_task[key] = value
    energy = settings.configure(EnergyTable, for_learners.pop("energy", {}))
    made = settings.configure(kind, for_task)
    listed = parse_seeds(seeds)
    folder = out if out is not None else Path("results") / task
    with on_cluster(cluster), _bar(f"compare {task}") as progress:
        result = bridge.compare(
            chosen,
            made,
            seeds=listed,
            jobs=jobs,
            out=folder,
            force=force,
            progress=progress,
            settings=for_learners,
            energy=energy,
        )
    drawn = _draw_comparison(result, folder)
    page = report_.write(folder)
    if as_json:
        _print_json(result.to_json())
        return
    width = _console().width
    _print(
        *filter(None, (result.table(width), result.cost_table(width))), _lies(folder, drawn, "summary.csv"), f"report:  {page}"
    )


SomeSeeds = Annotated[
    str,
    typer.Option(
        "--seeds",
        metavar="N|LIST",
        help="How many seeds, or which ones: 0,3,5 or 5-9. [default: the simulation's own]",
        show_default=False,
    ),
]


@app.command()
@_guarded
def run(
    simulation: Annotated[str, typer.Argument(help="The simulation; `plasticity list simulations` shows them.")],
    rule: Annotated[str, typer.Option("--rule", metavar="NAME", help="Short for --set rule=NAME.", show_default=False)] = "",
    seeds: SomeSeeds = "",
    jobs: Jobs = None,
    cluster: Cluster = "",
    set_: Set = [],  # noqa: B006
    out: Out = None,
    force: Force = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Run a simulation and hold its numbers against what is published or derived."""
    _run(simulation, ([f"rule={rule}"] if rule else []) + set_, seeds, jobs, cluster, out, force, as_json)


def _run(
    simulation: str, set_: list[str], seeds: str, jobs: int | None, cluster: str, out: Path | None, force: bool, as_json: bool
) -> None:
    from bridges.jobs import FEW_SEEDS
    from plasticity import settings
    from plasticity.errors import WrongUse
    from plasticity.parallel import cluster as on_cluster
    from plasticity.tasks import TASKS
    from simulations import SIMULATIONS
    from simulations.simulation import execute

    if simulation in TASKS:
        raise WrongUse(f"{simulation} is a task, not a simulation; type `plasticity compare {simulation}`.")
    kind = SIMULATIONS[simulation]
    made = kind.configure(settings.parse(set_))
    folder = out if out is not None else Path("results") / simulation
    with on_cluster(cluster), _bar(f"run {simulation}") as progress:
        summary = execute(made, folder, parse_seeds(seeds) if seeds else None, jobs, force, progress)
    if as_json:
        _print_json(summary)
        return
    _print_summary(summary)
    if seeds and kind.default_seeds > 1 and len(parse_seeds(seeds)) < 6:
        _print(f"note: {FEW_SEEDS}; the default is {kind.default_seeds} seeds.")
    changed = {key: value for key, value in vars(made).items() if value != getattr(kind.configure({}), key)}
    if changed and summary["checks"]:
        told = ", ".join(f"{key}={_readable(value)}" for key, value in changed.items())
        _print(f"note: the checks are meant for the default settings; here {told}.")
    _print(_lies(folder, sorted((folder / "figures").glob("*.png")), "summary.json"))


@app.command()
@_guarded
def bench(
    peers: Annotated[bool, typer.Option("--peers", help="Also install and measure BindsNET and NEST.")] = False,
    jobs: Jobs = None,
    set_: Set = [],  # noqa: B006
    out: Out = None,
    force: Force = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Time and memory of the same network here and by other means: `run bench`."""
    _run("bench", [*set_, *["peers=true"] * peers], "", jobs, "", out, force, as_json)


@app.command()
@_guarded
def sweep(
    simulation: Annotated[str, typer.Argument(help="The simulation; `plasticity list simulations` shows them.")],
    grid: Annotated[
        list[str], typer.Option("--grid", metavar="KEY=A,B,C", help="Values of a setting; repeat for all combinations.")
    ],
    seeds: Seeds = "5",
    measure: Measure = "",
    jobs: Jobs = None,
    cluster: Cluster = "",
    set_: Set = [],  # noqa: B006
    out: Out = None,
    force: Force = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Run a simulation over a grid of settings; an interrupted sweep goes on where it stopped."""
    from bridges.jobs import check_jobs
    from plasticity import settings
    from plasticity.parallel import cluster as on_cluster
    from simulations import SIMULATIONS, figures
    from simulations import sweep as sweeps

    kind = SIMULATIONS[simulation]
    folder = out if out is not None else Path("results") / f"sweep_{simulation}"
    asked, listed = sweeps.parse_grid(grid), parse_seeds(seeds)
    names = _names(measure)
    with on_cluster(cluster), _bar(f"sweep {simulation}") as progress:
        found = sweeps.sweep(kind, asked, listed, settings.parse(set_), check_jobs(jobs), folder, force, progress)
    drawn = [path for path in figures.save(found.figures(names), folder / "figures") if path.suffix == ".png"]
    if as_json:
        _print_json(found.to_json() | {"out": str(folder)})
        return
    _print(_table(f"{simulation}: {len(found.points)} points, {len(listed)} seeds", *found.rows(names)))
    _print(_lies(folder, drawn, "summary.csv"))


@app.command()
@_guarded
def reproduce(
    names: Annotated[
        list[str] | None, typer.Argument(help="Which simulations. [default: all]", metavar="[NAME]...", show_default=False)
    ] = None,
    jobs: Jobs = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Folder, one below it for each. [default: results/reproductions]", show_default=False
        ),
    ] = None,
    force: Force = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Run every simulation as published and put all checks into one table; what is finished in the folder is not run again."""
    from plasticity.records import read_json
    from simulations import SIMULATIONS
    from simulations.reproductions import COLUMNS, counted, rows
    from simulations.simulation import execute

    kinds = [SIMULATIONS[name] for name in names or (name for name, kind in SIMULATIONS.items() if kind.published)]
    folder = out if out is not None else Path("results") / "reproductions"
    told = []
    for kind in kinds:
        finished = folder / kind.name / "summary.json"
        if finished.exists() and not force:
            told.append(read_json(finished))
            continue
        with _bar(f"run {kind.name}") as progress:
            told.append(execute(kind.configure({}), folder / kind.name, None, jobs, force, progress))
    if as_json:
        _print_json(told)
        return
    _print(_checks("all checks", COLUMNS, list(rows(told))), f"{counted(told)}; records and figures: {folder}")


@app.command()
@_guarded
def plot(
    folder: Annotated[Path, typer.Argument(help="A folder that `compare` or `run` wrote.", metavar="DIR")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where the figures go. [default: DIR/figures]", show_default=False)
    ] = None,
    measure: Measure = "",
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Draw the figures of a run again, from its records alone; nothing is simulated."""
    from bridges.comparison import Comparison, read_configuration
    from plasticity.errors import PlasticityError
    from simulations import SIMULATIONS, figures
    from simulations.simulation import RECORD, from_configuration, summarise

    configuration = read_configuration(folder)
    target = out if out is not None else folder / "figures"
    if configuration.get("command") == "compare":
        comparison = Comparison.load(folder)
        written = figures.save(figures.comparison_figures(comparison), target)
        summary, table = comparison.to_json(), comparison.table(_console().width)
    elif configuration["command"] == "sweep":
        from simulations.sweep import Sweep

        swept = Sweep.load(folder)
        names = _names(measure)
        written = figures.save(swept.figures(names), target)
        summary = swept.to_json() | {"out": str(folder)}
        table = _table(f"{swept.configuration['simulation']}: {len(swept.points)} points", *swept.rows(names))
    else:
        from plasticity.records import Record

        simulation = from_configuration(SIMULATIONS[configuration["simulation"]], configuration["settings"])
        path = folder / "records" / RECORD
        if not path.with_suffix(".json").exists():
            raise PlasticityError(
                f"{folder} holds no finished run of {simulation.name}; give the `plasticity run` command again."
            )
        record = Record.load(path)
        written = figures.save(simulation.figures(record), target)
        summary, table = {**summarise(record), "out": str(folder)}, None
    if as_json:
        _print_json({**summary, "figures": [str(path) for path in written]})
        return
    if table is not None:
        _print(table)
    else:
        _print_summary(summary)
    _print(f"figures: {target} ({', '.join(path.name for path in written if path.suffix == '.png')}; also as SVG)")


@app.command()
@_guarded
def report(
    folder: Annotated[Path, typer.Argument(help="A folder that `compare`, `run` or `sweep` wrote.", metavar="DIR")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where the page goes. [default: DIR/report.html]", show_default=False),
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Write one page of HTML about a run, from its records alone: question, table, figures, every seed, how to run it again."""
    from simulations import report as report_

    page = report_.write(folder, out)
    if as_json:
        _print_json({"report": str(page), "out": str(folder)})
        return
    _print(f"report: {page}")


@app.command()
@_guarded
def cite(
    folder: Annotated[Path, typer.Argument(help="A folder that `compare` or `run` wrote.", metavar="DIR")],
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """BibTeX of the papers behind a run: its rules, neurons, gates, tasks, data, models, published values and simulators."""
    from bridges.comparison import read_configuration
    from plasticity.datasets import DATASETS
    from plasticity.records import read_json
    from plasticity.references import bibtex
    from simulations.citations import cited

    configuration = read_configuration(folder)
    summary = read_json(folder / "summary.json") if (folder / "summary.json").exists() else {}
    checks = [str(check.get("source", "")) for check in summary.get("checks", [])]
    known = {kind: get() for kind, get in registries().items()} | {"datasets": DATASETS}
    found = cited(configuration, known, checks)
    if as_json:
        _print_json({"out": str(folder), "references": found, "bibtex": bibtex(found)})
        return
    print(bibtex(found))


@app.command()
@_guarded
def data(
    fetch: Annotated[
        str, typer.Option("--fetch", metavar="NAME", help="Download a data set and verify it.", show_default=False)
    ] = "",
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Which data sets are present, missing or damaged, and where they come from."""
    from plasticity import datasets

    states = [datasets.fetch(fetch)] if fetch else [datasets.status(name) for name in datasets.DATASETS]
    rows = []
    for state in states:
        known = datasets.DATASETS[state.name]
        rows.append({**dataclasses.asdict(state), "summary": known.summary, "source": known.source, "terms": known.terms})
    if as_json:
        _print_json(rows)
        return
    _print(
        _table(
            "data sets",
            ("name", "state", "folder", "detail", "what it is", "source"),
            [(row["name"], row["state"], row["folder"] or "", row["detail"], row["summary"], row["source"]) for row in rows],
        )
    )


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _draw_comparison(comparison: Any, folder: Path) -> list[Path]:
    from simulations import figures

    return [path for path in figures.save(figures.comparison_figures(comparison), folder / "figures") if path.suffix == ".png"]


def _lies(folder: Path, drawn: Sequence[Path], table: str) -> str:
    names = ", ".join(path.name for path in drawn)
    figures = f"{folder / 'figures'} ({names}; also as SVG)" if drawn else "none (no number differs between the runs)"
    return (
        f"table:   {folder / table}\n"
        f"figures: {figures}\n"
        f"records: {folder / 'records'}; `plasticity plot {folder}` draws the figures again from them"
    )


def _print_summary(summary: Mapping[str, Any]) -> None:
    def number(value: Any) -> str:
        if isinstance(value, dict):  # over seeds, with its 95 % interval
            known = value["low"] is not None and value["high"] is not None
            return number(value["mean"]) + (f" [{value['low']:.5g}, {value['high']:.5g}]" if known else "")
        return f"{value:.5g}" if isinstance(value, float) else str(value)

    def one_line(value: Any) -> bool:
        return {"mean", "low", "high"} <= {*value} if isinstance(value, dict) else not isinstance(value, list)

    from simulations import SIMULATIONS

    for title, (columns, rows) in SIMULATIONS[summary["simulation"]].tables(summary["numbers"]).items():
        _print(_table(title, columns, rows))
    told = {name: value for name, value in summary["numbers"].items() if one_line(value)}
    numbers = [(name, number(value)) for name, value in told.items()]
    if numbers:
        _print(_table(summary["simulation"], ("number", "value"), numbers))
    if summary["checks"]:
        heads = ("check", "expected", "ours", "tolerance", "holds", "source")
        checks = [
            (
                check["name"],
                number(check["published"]),
                number(check["ours"]),
                number(check["tolerance"]),
                "yes" if check["holds"] else "NO",
                check["source"],
            )
            for check in summary["checks"]
        ]
        _print(_checks("checks", heads, checks))


def main(arguments: Sequence[str] | None = None) -> None:
    """The program; `arguments` instead of the command line for scripts and tests."""
    app(args=None if arguments is None else list(arguments), prog_name="plasticity")


if __name__ == "__main__":
    main()
