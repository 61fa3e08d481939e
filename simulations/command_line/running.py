"""What runs something: compare, ablate, run, bench, sweep, reproduce."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulations.command_line.options import (
    All,
    Cluster,
    Debug,
    Force,
    Jobs,
    Json,
    Measure,
    Out,
    Seeds,
    Set,
    SomeSeeds,
    Svg,
    With,
    names,
    parse_seeds,
)  # fmt: skip
from simulations.command_line.program import app, bar, guarded, print_json, tell, warnings_told

if TYPE_CHECKING:
    from simulations.frame.experiment import Experiment
    from simulations.frame.results import Result


@app.command()
@guarded
def compare(
    task: Annotated[str, typer.Argument(help="The task; `plasticity list tasks` shows them.", show_default=False)] = "",
    learners: Annotated[
        str,
        typer.Option(
            "--learners",
            metavar="A,B",
            help="Which learners, with commas between. [default: those that suit the task]",
            show_default=False,
        ),
    ] = "",
    budget: Annotated[
        str,
        typer.Option(
            "--budget",
            metavar="NAME",
            help="Curves instead of points: accuracy along trials, energy or parameters, and where curves cross.",
            show_default=False,
        ),
    ] = "",
    seeds: SomeSeeds = "",
    jobs: Jobs = None,
    cluster: Cluster = "",
    set_: Set = [],  # noqa: B006  (typer reads it and never changes it)
    with_: With = [],  # noqa: B006
    out: Out = None,
    force: Force = False,
    everything: All = False,
    svg: Svg = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Put learners of both sides on the same trials and compare them.

    --set KEY=VALUE changes the task (--set train=1000), --set LEARNER.KEY=VALUE a learner, --set spiking.KEY=VALUE and
    --set torch.KEY=VALUE all learners of that side, --set energy.KEY=VALUE what an operation costs (energy.sram_pj=2.5). An
    interrupted comparison goes on where it stopped: give the same command again.

    --budget trials shows accuracy against distinct training trials, energy against joules of a decision, with sizes swept on both
    sides, parameters against the numbers that learning changes; --set budget.KEY=VALUE says at which places
    (budget.trials=50,100,200; budget.hidden=8,32; budget.neurons=2,20; budget.accuracy=0.9 is what is to be reached).
    """
    from plasticity import settings
    from plasticity.errors import WrongUse, unknown
    from plasticity.parallel import cluster as on_cluster
    from plasticity.records import refuse_taken
    from plasticity.tasks import TASKS
    from simulations.command_line import index
    from simulations.frame.owners import by_owner, configured

    if not task:
        raise WrongUse(f"compare what? Name a task: {', '.join(index.names('tasks'))}; such as `plasticity compare cued_digits`.")
    if task in index.names("simulations"):
        raise WrongUse(f"{task} is a simulation, not a task; type `plasticity run {task}`.")
    index.require("tasks", [task])
    picked = names(learners, "--learners")
    listed = parse_seeds(seeds) if seeds else list(range(TASKS[task].default_seeds))
    index.require("learners", picked)
    for_task, for_learners = by_owner(settings.parse(set_))
    made = configured(TASKS[task], for_task, picked)
    if picked and not with_:
        about = index.known("learners")
        settings.refuse_owners(for_learners.keys() - {"budget", "energy"}, {name: about[name]["side"] for name in picked})
    if "budget" in for_learners and not budget:
        raise WrongUse(f"budget.{next(iter(for_learners['budget']))} is a setting of --budget, which is not given; give it too.")
    folder = out if out is not None else Path("results") / (f"{task}_{budget}" if budget else task)
    refuse_taken(folder, force)

    from bridges import comparison as bridge  # not before all this: a mistake costs no simulator
    from bridges.comparison.budget import BUDGETS, Budget, budgeted
    from bridges.comparison.energy import EnergyTable
    from simulations.frame import results

    if budget and budget not in BUDGETS:
        raise unknown("budget", budget, BUDGETS)
    energy = settings.configure(EnergyTable, for_learners.pop("energy", {}))
    measured = settings.configure(Budget, for_learners.pop("budget", {}))
    compared: Callable[..., object] = functools.partial(budgeted, budget, budget=measured) if budget else bridge.compare
    with on_cluster(cluster or None), warnings_told(), bar(f"compare {task}") as progress:
        compared(
            picked or None,
            made,
            seeds=listed,
            jobs=jobs,
            out=folder,
            force=force,
            progress=progress,
            settings=for_learners,
            energy=energy,
            complete=lambda _: _complete(folder, svg, progress),
        )
    _tell(results.load(folder), everything, as_json)


def _complete(folder: Path, svg: bool, progress: Callable[..., None], measures: Sequence[str] = ()) -> None:
    """Make figures and page of what lies in the folder, and say so meanwhile."""
    from simulations.frame import results
    from simulations.frame.execute import drawing

    with drawing(progress, folder):
        results.load(folder, measures).complete(svg)


@app.command()
@guarded
def ablate(
    learner: Annotated[str, typer.Argument(help="The learner; one with a rule, such as spiking_gated or diehl_cook.")],
    task: Annotated[str, typer.Option("--task", metavar="TASK", help="The task; `plasticity list tasks` shows them.")],
    only: Annotated[
        str,
        typer.Option("--only", metavar="A,B", help="Which ablations. [default: all that the learner has]", show_default=False),
    ] = "",
    seeds: Seeds = "5",
    jobs: Jobs = None,
    cluster: Cluster = "",
    set_: Set = [],  # noqa: B006
    with_: With = [],  # noqa: B006
    out: Out = None,
    force: Force = False,
    everything: All = False,
    svg: Svg = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Take the ingredients of a learner's rule away, one at a time, and print what each of them is worth.

    --set KEY=VALUE changes the task, --set LEARNER.KEY=VALUE the learner. An interrupted run goes on where it stopped.
    """
    from plasticity import settings
    from plasticity.errors import WrongUse
    from plasticity.parallel import cluster as on_cluster
    from plasticity.records import refuse_taken
    from plasticity.tasks import TASKS
    from simulations.command_line import index
    from simulations.frame.owners import by_owner, configured

    if task in index.names("simulations"):
        raise WrongUse(f"{task} is a simulation, not a task; give a task: {', '.join(TASKS)}.")
    index.require("learners", [learner])
    for_task, for_learner = by_owner(settings.parse(set_))
    made, listed = configured(TASKS[task], for_task, [learner]), parse_seeds(seeds)
    folder = out if out is not None else Path("results") / f"ablate_{learner}_{task}"
    refuse_taken(folder, force)

    from bridges import comparison as bridge  # not before all this: a mistake costs no simulator
    from simulations.frame import results

    with on_cluster(cluster or None), warnings_told(), bar(f"ablate {learner}") as progress:
        bridge.ablate(
            learner,
            made,
            seeds=listed,
            jobs=jobs,
            out=folder,
            force=force,
            progress=progress,
            settings=for_learner,
            only=names(only, "--only"),
            complete=lambda _: _complete(folder, svg, progress),
        )
    _tell(results.load(folder), everything, as_json)


def _tell(result: Result, everything: bool, as_json: bool) -> None:
    """A finished comparison on the terminal, or for programs."""
    from simulations.frame import terminal

    if as_json:
        print_json(result.summary())
        return
    terminal.show(*result.tables(terminal.console().width, everything))
    _where(result, everything)


def _where(result: Result, everything: bool) -> None:
    """Where the rest of a comparison lies, in two lines."""
    from simulations.frame import results, terminal

    folder, (pictures, also) = result.folder, _drawn(result)
    others = f" and {len(pictures) - 1} more" if len(pictures) > 1 else ""
    rest = "" if everything else f"; `plasticity plot {folder} --all` prints costs"
    terminal.show(
        f"report:  {folder / results.REPORT}; figures/{pictures[0]}{others}{also}",
        f"rest:    {result.TABLE}{rest}",
    )


@app.command()
@guarded
def run(
    simulation: Annotated[str, typer.Argument(help="The simulation; `plasticity list simulations` shows them.")],
    rule: Annotated[str, typer.Option("--rule", metavar="NAME", help="Short for --set rule=NAME.", show_default=False)] = "",
    seeds: SomeSeeds = "",
    jobs: Jobs = None,
    cluster: Cluster = "",
    set_: Set = [],  # noqa: B006
    with_: With = [],  # noqa: B006
    out: Out = None,
    force: Force = False,
    svg: Svg = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Run a simulation and hold its numbers against what is published or derived."""
    _run(simulation, ([f"rule={rule}"] if rule else []) + set_, seeds, jobs, cluster, out, force, svg, as_json)


def _run(
    simulation: str,
    set_: list[str],
    seeds: str,
    jobs: int | None,
    cluster: str,
    out: Path | None,
    force: bool,
    svg: bool,
    as_json: bool,
) -> None:
    from plasticity import settings
    from plasticity.errors import WrongUse
    from plasticity.parallel import cluster as on_cluster
    from plasticity.records import refuse_taken
    from simulations.command_line import index

    if simulation in index.names("tasks"):
        raise WrongUse(f"{simulation} is a task, not a simulation; type `plasticity compare {simulation}`.")
    index.require("simulations", [simulation])
    given, listed = settings.parse(set_), parse_seeds(seeds) if seeds else None
    index.require_settings("simulations", simulation, given)
    folder = out if out is not None else Path("results") / simulation
    refuse_taken(folder, force)

    from simulations import SIMULATIONS  # not before all this: a mistake costs no simulator
    from simulations.frame import results, terminal
    from simulations.frame.execute import execute

    made = SIMULATIONS[simulation].configure(given)
    if listed and not made.seeded:
        tell(f"note: nothing in {simulation} is drawn at random, so --seeds changes nothing; leave it out.")
    with on_cluster(cluster or None), bar(f"run {simulation}") as progress:
        execute(made, folder, listed, jobs, force, progress, svg, lambda: results.load(folder).write_report())
    result = results.load(folder)
    if as_json:
        print_json(result.summary())
        return
    terminal.show(*result.tables(terminal.console().width))
    _lies(result)


@app.command()
@guarded
def bench(
    peers: Annotated[bool, typer.Option("--peers", help="Also install and measure BindsNET and NEST.")] = False,
    jobs: Jobs = None,
    set_: Set = [],  # noqa: B006
    out: Out = None,
    force: Force = False,
    svg: Svg = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Time and memory of the same network here and by other means: `run bench`."""
    _run("bench", [*set_, *["peers=true"] * peers], "", jobs, "", out, force, svg, as_json)


@app.command()
@guarded
def sweep(
    simulation: Annotated[str, typer.Argument(help="The simulation or the task; `plasticity list` shows them.")],
    grid: Annotated[
        list[str], typer.Option("--grid", metavar="KEY=A,B,C", help="Values of a setting; repeat for all combinations.")
    ] = [],  # noqa: B006
    learners: Annotated[
        str,
        typer.Option(
            "--learners",
            metavar="A,B",
            help="On a task: which learners. [default: those that suit the task]",
            show_default=False,
        ),
    ] = "",
    seeds: Seeds = "5",
    measure: Measure = "",
    jobs: Jobs = None,
    cluster: Cluster = "",
    set_: Set = [],  # noqa: B006
    with_: With = [],  # noqa: B006
    out: Out = None,
    force: Force = False,
    svg: Svg = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Run a simulation, or learners on a task, over a grid of settings; an interrupted sweep goes on where it stopped.

    Of a task --grid KEY=A,B changes the task, --grid LEARNER.KEY=A,B a learner, spiking.KEY or torch.KEY all of that side.
    """
    from plasticity import settings
    from plasticity.errors import WrongUse
    from plasticity.parallel import cluster as on_cluster
    from plasticity.records import refuse_taken
    from plasticity.tasks import TASKS
    from simulations.command_line import index
    from simulations.frame.owners import by_owner, configured, parse_grid

    kind: type[Experiment]
    of_task, picked = simulation in index.names("tasks"), names(learners, "--learners")
    index.require("tasks" if of_task else "simulations", [simulation])
    index.require("learners", picked)
    if picked and not of_task:
        raise WrongUse(f"{simulation} is a simulation, --learners goes with a task: {', '.join(TASKS)}; leave it out.")
    if not grid:
        raise WrongUse(
            f"sweep over what? Give values of a setting: `plasticity sweep {simulation} --grid {_example(simulation)}`;"
            f" `plasticity show {simulation}` lists the settings."
        )
    listed, shown = parse_seeds(seeds), names(measure, "--measure")
    given, asked = settings.parse(set_), parse_grid(grid)
    for_task, _ = by_owner({**given, **{key: values[0] for key, values in asked.items()}})
    if of_task:
        configured(TASKS[simulation], for_task, picked)
    else:
        index.require_settings("simulations", simulation, for_task)
    folder = out if out is not None else Path("results") / f"sweep_{simulation}"
    refuse_taken(folder, force)

    from simulations import SIMULATIONS  # not before all this: a mistake costs no simulator
    from simulations.frame import results, terminal
    from simulations.frame import sweep as sweeps
    from simulations.frame.on_task import on_task

    kind = on_task(TASKS[simulation], picked) if of_task else SIMULATIONS[simulation]
    with on_cluster(cluster or None), warnings_told(), bar(f"sweep {simulation}") as progress:
        sweeps.sweep(
            kind, asked, listed, given, jobs, folder, force, progress, shown,
            lambda: _complete(folder, svg, progress, shown),
        )  # fmt: skip
    result = results.load(folder, shown)
    if as_json:
        print_json(result.summary())
        return
    terminal.show(*result.tables(terminal.console().width))
    _lies(result)


def _example(simulation: str) -> str:
    """A setting of a simulation or task with two values, as --grid takes them."""
    from simulations.command_line.index import known

    about = known("tasks").get(simulation) or known("simulations")[simulation]
    numbers = {row["name"]: row["default"] for row in about["settings"] if type(row["default"]) in (int, float)}
    name, value = next(((name, value) for name, value in numbers.items() if value > 1 or type(value) is float), ("KEY", None))
    return f"{name}={value // 2 if type(value) is int else value / 2:g},{value:g}" if value is not None else "KEY=A,B,C"


def _drawn(result: Result) -> tuple[list[str], str]:
    """The names of the figures of a result, and whether they are there as SVG too."""
    found = sorted(path.name for path in (result.folder / "figures").glob("*"))
    pictures = [name for name in found if name.endswith(".png")]
    return pictures, "; also as SVG" if len(pictures) < len(found) else ""


def _lies(result: Result) -> None:
    """Where report, table, figures and records are."""
    from simulations.frame import results, terminal

    folder, (pictures, also) = result.folder, _drawn(result)
    shown = (
        f"{folder / 'figures'} ({', '.join(pictures)}{also})"
        if pictures
        else "none (nothing that is shown differs between the runs)"
    )
    terminal.show(
        f"report:  {folder / results.REPORT}",
        f"table:   {folder / result.TABLE}",
        f"figures: {shown}",
        f"records: {folder / 'records'}; `plasticity plot {folder}` draws the figures again from them",
    )


@app.command()
@guarded
def reproduce(
    wanted: Annotated[
        list[str] | None, typer.Argument(help="Which simulations. [default: all]", metavar="[NAME]...", show_default=False)
    ] = None,
    jobs: Jobs = None,
    with_: With = [],  # noqa: B006
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Folder, one below it for each. [default: results/reproductions]", show_default=False
        ),
    ] = None,
    force: Force = False,
    svg: Svg = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Run every simulation as published and put all checks into one table; what is finished in the folder is not run again."""
    from plasticity.files import read_sealed
    from plasticity.records import finished, refuse_of_another, refuse_other_run
    from simulations import SIMULATIONS
    from simulations.frame import results, terminal
    from simulations.frame.execute import asked, execute
    from simulations.frame.shown import COLUMNS, counted, counted_by_kind, rows
    from simulations.frame.tables import published

    folder = out if out is not None else Path("results") / "reproductions"
    refuse_of_another(folder)
    told, kinds = [], [SIMULATIONS[name] for name in wanted or published()]
    for kind in kinds if not force else ():
        refuse_other_run(folder / kind.name, asked(kind.configure({}), range(kind.default_seeds)))
    for kind in kinds:
        if finished(folder / kind.name) and not force:
            told.append(read_sealed(folder / kind.name / "summary.json"))
            continue
        with bar(f"run {kind.name}") as progress:
            place = folder / kind.name
            page = functools.partial(lambda where: results.load(where).write_report(), place)
            told.append(execute(kind.configure({}), place, None, jobs, force, progress, svg, page))
    if as_json:
        print_json(told)
        return
    table = terminal.checks("all checks", COLUMNS, list(rows(told)), terminal.console().width)
    terminal.show(table, f"{counted(told)}: {counted_by_kind(told)}; records and figures: {folder}")
