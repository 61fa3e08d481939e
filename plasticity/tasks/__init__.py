"""Tasks: each draws trials, plain arrays that know neither Brian2 nor PyTorch. A new task is one file and one line here."""

from __future__ import annotations

from plasticity.registry import Registry
from plasticity.tasks.associative_recall import AssociativeRecall
from plasticity.tasks.cocktail_party import CocktailParty
from plasticity.tasks.cued_digits import CuedDigits
from plasticity.tasks.delayed_match import DelayedMatch
from plasticity.tasks.digits import Digits
from plasticity.tasks.episodes import Episodes, EpisodeTask
from plasticity.tasks.film_reviews import FilmReviews
from plasticity.tasks.latencies import Latencies
from plasticity.tasks.news import News
from plasticity.tasks.next_item import NextItem
from plasticity.tasks.saccade import Saccade
from plasticity.tasks.scan import Scan
from plasticity.tasks.sequences import Sequences
from plasticity.tasks.spatial_attention import SpatialAttention
from plasticity.tasks.spoken_digits import SpokenDigits
from plasticity.tasks.streams import Streams, split_streams
from plasticity.tasks.table import Table, table
from plasticity.tasks.task import FAMILIES, KINDS, Task
from plasticity.tasks.texts import TextTask
from plasticity.tasks.timelines import Timelines
from plasticity.tasks.tokens import Tokens
from plasticity.tasks.translation import Translation
from plasticity.tasks.trials import Draw, Trials
from plasticity.tasks.twelve_ax import TwelveAX

TASKS: Registry[type[Task]] = Registry(
    "task",
    [
        *(CuedDigits, SpatialAttention, CocktailParty, Digits, SpokenDigits, AssociativeRecall, Table, Latencies),
        *(News, FilmReviews, Scan, Translation, NextItem, Saccade, DelayedMatch, TwelveAX),
    ],
    of=Task,
)

__all__ = [
    "AssociativeRecall", "CocktailParty", "CuedDigits", "DelayedMatch", "Digits", "Draw", "EpisodeTask", "Episodes",
    "FAMILIES", "FilmReviews", "KINDS", "Latencies", "News", "NextItem", "Saccade", "Scan", "Sequences", "SpatialAttention",
    "SpokenDigits", "Streams", "TASKS", "Table", "Task", "TextTask", "Timelines", "Tokens", "Translation", "Trials",
    "TwelveAX", "split_streams", "table",
]  # fmt: skip
