"""What is made of records and data that are there: plot, report, cite, data, cache, tables."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Annotated

import typer

from simulations.command_line.options import All, Debug, ForceCopy, Json, Measure, Svg, With, names
from simulations.command_line.program import app, guarded, print_json


@app.command()
@guarded
def plot(
    folder: Annotated[Path, typer.Argument(help="A folder that `compare` or `run` wrote.", metavar="DIR")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where the figures go. [default: DIR/figures]", show_default=False)
    ] = None,
    measure: Measure = "",
    with_: With = [],  # noqa: B006  (typer reads it and never changes it)
    everything: All = False,
    svg: Svg = False,
    force: ForceCopy = False,
    tensorboard: Annotated[
        str,
        typer.Option(
            "--tensorboard",
            metavar="DIR",
            help="Of a comparison: write learning curves and histograms of weights for TensorBoard, too.",
            show_default=False,
        ),
    ] = "",
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Draw the figures of a run again, and write its page, from its records alone; nothing is simulated.

    With --out the figures go there, over nothing that is there already but figures, and that with --force.
    """
    from plasticity.records import refuse_no_run

    refuse_no_run(folder)

    from simulations.frame import results, terminal

    target = out if out is not None else folder / "figures"
    with results.shown(folder):
        result = results.load(folder, names(measure, "--measure"))
        written = result.draw(out, svg, force)
        page = f"; report: {result.write_report()}" if out is None else ""
        if tensorboard:
            page += f"; TensorBoard: {result.write_tensorboard(tensorboard)}"
        if as_json:
            print_json({**result.summary(), "figures": [str(path) for path in written]})
            return
        pictures = ", ".join(path.name for path in written if path.suffix == ".png")
        also = "; also as SVG" if svg else ""
        terminal.show(*result.tables(terminal.console().width, everything), f"figures: {target} ({pictures}{also}){page}")


@app.command()
@guarded
def report(
    folder: Annotated[Path, typer.Argument(help="A folder that `compare`, `run` or `sweep` wrote.", metavar="DIR")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where the page goes. [default: DIR/report.html]", show_default=False),
    ] = None,
    with_: With = [],  # noqa: B006
    force: ForceCopy = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Write one page of HTML about a run, from its records alone: question, table, figures, every seed, how to run it again."""
    from plasticity.records import refuse_no_run

    refuse_no_run(folder)

    from simulations.frame import results, terminal

    with results.shown(folder):
        page = results.load(folder).write_report(out, force)
    if as_json:
        print_json({"report": str(page), "out": str(folder)})
        return
    terminal.show(f"report: {page}")


@app.command()
@guarded
def cite(
    what: Annotated[
        str, typer.Argument(help="A folder that `compare` or `run` wrote, or any name of `plasticity list`.", metavar="DIR|NAME")
    ],
    with_: With = [],  # noqa: B006
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """BibTeX of the papers behind a run, or behind a rule, task, learner, ... by its name, and what these are made of."""
    from plasticity.errors import printable
    from plasticity.records import refuse_no_run
    from plasticity.references import bibtex

    if Path(what).is_dir() or "/" in what:
        refuse_no_run(what)

        from simulations.frame import results

        with results.shown(what):
            found, title = results.load(what).references(), "out"
    else:
        from simulations.command_line.listing import named

        found, title = list(dict.fromkeys(paper for about in named(what) for paper in about["references"])), "name"
    if as_json:
        print_json({title: what, "references": found, "bibtex": bibtex(found)})
        return
    print(printable(bibtex(found)) or f"% {what} names no paper")


@app.command()
@guarded
def data(
    fetch: Annotated[
        str, typer.Option("--fetch", metavar="NAME", help="Download a data set and verify it.", show_default=False)
    ] = "",
    with_: With = [],  # noqa: B006
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Which data sets are present, missing or damaged, and where they come from."""
    from plasticity import datasets
    from simulations.frame import terminal

    states = [datasets.fetch(fetch)] if fetch else [datasets.status(name) for name in datasets.DATASETS]
    rows = []
    for state in states:
        known = datasets.DATASETS[state.name]
        rows.append({**dataclasses.asdict(state), "summary": known.summary, "source": known.source, "terms": known.terms})
    if as_json:
        print_json(rows)
        return
    heads = ("name", "state", "folder", "detail", "what it is", "source")
    cells = [(row["name"], row["state"], row["folder"] or "", row["detail"], row["summary"], row["source"]) for row in rows]
    terminal.show(terminal.table("data sets", heads, cells, terminal.console().width))


@app.command()
@guarded
def cache(
    word: Annotated[str, typer.Argument(hidden=True, metavar="")] = "",
    clean: Annotated[bool, typer.Option("--clean", help="Delete all that was not used within an hour.")] = False,
    limit: Annotated[
        str,
        typer.Option("--limit", metavar="2GB", help="Delete what was unused longest, beyond this size.", show_default=False),
    ] = "",
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Which compiled networks are kept, how large they are, and when each was used.

    After a network is compiled those that were unused longest are deleted, until all take no more than PLASTICITY_CACHE_LIMIT
    (5GB where it is not set). What is in use, or was within an hour, stays, and so does all that is not this program's own.
    """
    from plasticity import given
    from plasticity.errors import WrongUse

    if word:
        raise WrongUse(
            f"cache takes no {given.shown(word)}: `plasticity cache` lists what is kept, `plasticity cache --clean` deletes it."
        )
    if clean and limit:
        raise WrongUse("--clean deletes all, --limit what is beyond a size; give one of the two.")

    from plasticity.engine import cache as programs
    from simulations.frame import terminal

    home, most = programs.folder(), programs.limit()
    wanted = 0 if clean else programs.size(limit, "--limit") if limit else None
    gone = programs.shrink(home, wanted) if wanted is not None and home.is_dir() else []
    kept = programs.kept(home)
    total = sum(one.bytes for one in kept)
    if as_json:
        told = [{**dataclasses.asdict(one), "path": str(one.path)} for one in kept]
        deleted = [str(one.path) for one in gone]
        print_json({"folder": str(home), "bytes": total, "limit": most, "kept": told, "deleted": deleted})
        return
    heads = ("program", "network", "size", "compiled in", "last used")
    rows = [
        (
            one.path.name[:12],
            one.what,
            f"{one.bytes / 1e6:.1f} MB",
            "-" if one.compile_s is None else f"{one.compile_s:.0f} s",
            time.strftime("%Y-%m-%d %H:%M", time.localtime(one.used)),
        )
        for one in reversed(kept)
    ]
    if rows:
        terminal.show(terminal.table("compiled networks", heads, rows, terminal.console().width))
    away = f"deleted: {len(gone)}, {sum(one.bytes for one in gone) / 1e6:.1f} MB" if wanted is not None else ""
    if clean and kept:
        away += f"; what stays is in use, or was within the last {programs.GRACE_S / 60:.0f} minutes"
    said = (f"{len(kept)} kept, {total / 1e6:.1f} MB of at most {most / 1e6:.0f} MB", away, f"folder: {home}")
    terminal.show(*filter(None, said))


@app.command()
@guarded
def tables(
    write: Annotated[bool, typer.Option("--write", help="Write them anew.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Fail where one is not what the references give.")] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """The parts of the README files that are generated from the reference results: which there are, and where they stand."""
    from plasticity.errors import PlasticityError
    from simulations.frame import tables as generated
    from simulations.frame import terminal

    top = generated.checkout()
    changed = [str(path.relative_to(top)) for path in generated.write(top)] if write else []
    differing = generated.check(top) if check else []
    if differing:
        raise PlasticityError(f"{'; '.join(differing)}. Type `plasticity tables --write`.")
    places = {**generated.stands(top), **{file: [file] for file in generated.FILES}}
    made = {**generated.PARTS, **generated.FILES}
    meaning = {name: (make.__doc__ or "").partition("\n")[0] for name, make in made.items()}
    if as_json:
        parts = [{"name": name, "summary": meaning[name], "files": places[name]} for name in made]
        print_json({"parts": parts, "written": changed})
        return
    if write or check:
        terminal.show(
            f"written: {', '.join(changed)}" if changed else "every part is what the reference results and the code give"
        )
        return
    rows = [(name, meaning[name], ", ".join(places[name]) or "-") for name in made]
    terminal.show(terminal.table("generated parts", ("part", "what it is", "file"), rows, terminal.console().width))
