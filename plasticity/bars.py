"""A progress bar on standard error, where that is a terminal that can draw one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from plasticity.meanwhile import goes_on

if TYPE_CHECKING:
    from rich.progress import Task
    from rich.text import Text


@contextlib.contextmanager
def bar(label: str, heed: Callable[[], None] = lambda: None) -> Iterator[Callable[..., None] | None]:
    """Inside there is a bar, from the first fraction on that it is told; None where standard error cannot draw one.

    What it yields takes (fraction, finished, total) or a fraction alone, and `note=`. It says what goes on without a fraction,
    such as compiling. `heed` is called whenever it is told something.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.text import Text

    class Doing(TextColumn):
        def render(self, task: Task) -> Text:  # at each of the ten times a second that it is drawn
            return Text(goes_on() or task.fields["jobs"])

    console = Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        yield None
        return
    drawn = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        Doing("jobs"),
        TextColumn("elapsed"),
        TimeElapsedColumn(),
        TextColumn("remaining"),
        TimeRemainingColumn(),
        console=console,
        speed_estimate_period=120,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    line = drawn.add_task(label, total=1.0, jobs="")
    jobs, over = "", False  # jobs as last heard; a note stands instead, while there is one

    def show(fraction: float, finished: int | None = None, total: int | None = None, note: str = "") -> None:
        nonlocal jobs
        heed()
        if over:
            return
        drawn.start()  # not before there is work: a refusal shows no bar
        jobs = jobs if total is None else f"{finished}/{total} jobs"
        drawn.update(line, completed=fraction, jobs=note or jobs)

    try:
        yield show
    finally:
        over = True
        if drawn.live.is_started:
            drawn.stop()
