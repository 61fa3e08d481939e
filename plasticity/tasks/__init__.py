"""Tasks: each draws trials, plain arrays that know neither Brian2 nor PyTorch. A new task is one file and one line here."""

from __future__ import annotations

from plasticity.registry import Registry
from plasticity.tasks.associative_recall import AssociativeRecall
from plasticity.tasks.cued_digits import CuedDigits
from plasticity.tasks.delayed_match import DelayedMatch
from plasticity.tasks.digits import Digits
from plasticity.tasks.episodes import Episodes, EpisodeTask
from plasticity.tasks.latencies import Latencies
from plasticity.tasks.saccade import Saccade
from plasticity.tasks.streams import Streams, split_streams
from plasticity.tasks.table import Table, table
from plasticity.tasks.task import FAMILIES, KINDS, Task
from plasticity.tasks.timelines import Timelines
from plasticity.tasks.tokens import Tokens
from plasticity.tasks.trials import Draw, Trials
from plasticity.tasks.twelve_ax import TwelveAX

TASKS: Registry[type[Task]] = Registry(
    "task", [CuedDigits, Digits, AssociativeRecall, Table, Latencies, Saccade, DelayedMatch, TwelveAX], of=Task
)

__all__ = [
    "FAMILIES", "KINDS", "TASKS", "AssociativeRecall", "CuedDigits", "DelayedMatch", "Digits", "Draw", "EpisodeTask", "Episodes",
    "Latencies", "Saccade", "Streams", "Table", "Task", "Timelines", "Tokens", "Trials", "TwelveAX", "split_streams", "table",
]  # fmt: skip
