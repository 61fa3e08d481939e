"""The program `plasticity`: a function for each command.

    stopping.py  signals, from the first moment on
    program.py   how every command begins and ends: one sentence for an error, encodings, the progress bar
    options.py   options that several commands have
    listing.py   list, show
    index.py     what these say of everything built in, kept in index.json, so that a name costs no simulator
    running.py   compare, ablate, run, bench, sweep, reproduce
    showing.py   plot, report, cite, data, cache, tables

What is for people goes to standard output as tables, progress goes to standard error; with --json the summary is the only thing
on standard output. Exit status: 0 done, 1 failed, 2 wrong use, 130 interrupted. Simulators are imported by the commands that need
them. A new command is a function with `@app.command()` and `@guarded` in one of these files.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

from simulations.command_line import stopping


def main(arguments: Sequence[str] | None = None) -> None:
    """The program; `arguments` instead of the command line for scripts and tests."""
    if arguments is None:
        os.environ["PLASTICITY_PROGRAM"] = "1"  # `plasticity.brian2_logs` says what for
    try:
        with stopping.interrupting(last=arguments is None):
            from simulations.command_line import listing, program, running, showing  # noqa: F401  (their commands)

            program.run(arguments)
    except (KeyboardInterrupt, SystemExit):
        if not stopping.stopped():
            raise
        stopping.say()  # whatever a library made of it
        sys.exit(130)
    finally:
        if arguments is None:
            gc.freeze()  # all of it dies with the process: a search through it for cycles would take another second
