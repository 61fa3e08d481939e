"""What runs something: compare, run, bench, sweep, reproduce."""

from __future__ import annotations

import functools
from collections.abc import Callable
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
from simulations.command_line.program import app, bar, guarded, print_json, warnings_told

if TYPE_CHECKING:
    from simulations.frame.experiment import Experiment
    from simulations.frame.results import Result


@app.command()
@guarded
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
    budget: Annotated[
        str,
        typer.Option(
            "--budget",
            metavar="NAME",
            help="Curves instead of points: accuracy along trials, energy or parameters, and where curves cross.",
            show_default=False,
        ),
    ] = "",
    seeds: Seeds = "10",
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
    from bridges import comparison as bridge
    from bridges.comparison.budget import BUDGETS, Budget, budgeted
    from bridges.comparison.energy import EnergyTable
    from plasticity import settings
    from plasticity.errors import WrongUse, unknown
    from plasticity.parallel import cluster as on_cluster
    from plasticity.tasks import TASKS
    from simulations import SIMULATIONS
    from simulations.frame import results, terminal
    from simulations.frame.on_task import by_owner

    if task in SIMULATIONS:
        raise WrongUse(f"{task} is a simulation, not a task; type `plasticity run {task}`.")
    kind = TASKS[task]
    if budget and budget not in BUDGETS:
        raise unknown("budget", budget, BUDGETS)
    for_task, for_learners = by_owner(settings.parse(set_))
    energy = settings.configure(EnergyTable, for_learners.pop("energy", {}))
    if "budget" in for_learners and not budget:
        raise WrongUse(f"budget.{next(iter(for_learners['budget']))} is a setting of --budget, which is not given; give it too.")
    measured = settings.configure(Budget, for_learners.pop("budget", {}))
    made = settings.configure(kind, for_task)
    folder = out if out is not None else Path("results") / (f"{task}_{budget}" if budget else task)
    compared: Callable[..., object] = functools.partial(budgeted, budget, budget=measured) if budget else bridge.compare
    listed = parse_seeds(seeds)
    with on_cluster(cluster or None), warnings_told(), bar(f"compare {task}") as progress:
        compared(
            names(learners, "--learners") or None,
            made,
            seeds=listed,
            jobs=jobs,
            out=folder,
            force=force,
            progress=progress,
            settings=for_learners,
            energy=energy,
            complete=lambda _: results.load(folder).complete(svg),
        )
    result = results.load(folder)
    if as_json:
        print_json(result.summary())
        return
    terminal.show(*result.tables(terminal.console().width, everything))
    _where(result, everything)


def _where(result: Result, everything: bool) -> None:
    """Where the rest of a comparison lies, in a few lines."""
    from simulations.frame import results, terminal

    folder, (pictures, also) = result.folder, _drawn(result)
    others = f" and {len(pictures) - 1} more" if len(pictures) > 1 else ""
    rest = f"rest:    `plasticity plot {folder} --all` prints costs and what they rest on"
    terminal.show(
        f"report:  {folder / results.REPORT}",
        f"figures: {folder / 'figures'} ({pictures[0]}{others}{also})",
        f"table:   {folder / result.TABLE}",
        *[rest] * (not everything),
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
    from plasticity.tasks import TASKS
    from simulations import SIMULATIONS
    from simulations.frame import results, terminal
    from simulations.frame.execute import execute

    if simulation in TASKS:
        raise WrongUse(f"{simulation} is a task, not a simulation; type `plasticity compare {simulation}`.")
    made = SIMULATIONS[simulation].configure(settings.parse(set_))
    folder = out if out is not None else Path("results") / simulation
    with on_cluster(cluster or None), bar(f"run {simulation}") as progress:
        listed = parse_seeds(seeds) if seeds else None
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
    ],
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
    from plasticity.parallel import check_jobs
    from plasticity.parallel import cluster as on_cluster
    from plasticity.tasks import TASKS
    from simulations import SIMULATIONS
    from simulations.frame import results, terminal
    from simulations.frame import sweep as sweeps
    from simulations.frame.on_task import on_task

    kind: type[Experiment]
    if simulation in TASKS:
        kind = on_task(TASKS[simulation], names(learners, "--learners"))
    else:
        kind = SIMULATIONS[simulation]
        if learners:
            raise WrongUse(f"{simulation} is a simulation, --learners goes with a task: {', '.join(TASKS)}; leave it out.")
    folder = out if out is not None else Path("results") / f"sweep_{simulation}"
    asked, listed = sweeps.parse_grid(grid), parse_seeds(seeds)
    shown = names(measure, "--measure")
    with on_cluster(cluster or None), warnings_told(), bar(f"sweep {simulation}") as progress:
        sweeps.sweep(
            kind, asked, listed, settings.parse(set_), check_jobs(jobs), folder, force, progress, shown,
            lambda: results.load(folder, shown).complete(svg),
        )  # fmt: skip
    result = results.load(folder, shown)
    if as_json:
        print_json(result.summary())
        return
    terminal.show(*result.tables(terminal.console().width))
    _lies(result)


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
    from simulations import SIMULATIONS
    from simulations.frame import results, terminal
    from simulations.frame.execute import execute
    from simulations.frame.shown import COLUMNS, counted, rows
    from simulations.frame.tables import published

    folder = out if out is not None else Path("results") / "reproductions"
    told = []
    for kind in [SIMULATIONS[name] for name in wanted or published()]:
        finished = folder / kind.name / "summary.json"
        if finished.exists() and not force:
            told.append(read_sealed(finished))
            continue
        with bar(f"run {kind.name}") as progress:
            place = folder / kind.name
            page = functools.partial(lambda where: results.load(where).write_report(), place)
            told.append(execute(kind.configure({}), place, None, jobs, force, progress, svg, page))
    if as_json:
        print_json(told)
        return
    table = terminal.checks("all checks", COLUMNS, list(rows(told)), terminal.console().width)
    terminal.show(table, f"{counted(told)}; records and figures: {folder}")
