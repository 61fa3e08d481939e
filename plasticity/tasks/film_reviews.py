"""Film reviews: for or against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from plasticity.settings import setting
from plasticity.tasks.texts import OWN, TextTask


@dataclass(frozen=True)
class FilmReviews(TextTask):
    """A film review is shown, word by word; the answer is whether it is for or against the film.

    Sources: Maas et al. 2011, https://aclanthology.org/P11-1015 (the reviews); Pang & Lee 2008, doi:10.1561/1500000011 (the
    question). What tasks of texts share: `plasticity.tasks.texts.TextTask`.
    """

    name: ClassVar[str] = "film_reviews"
    summary: ClassVar[str] = "Film reviews, for or against; or texts of your own."
    source: ClassVar[str] = "Maas et al. 2011, https://aclanthology.org/P11-1015; Pang & Lee 2008, doi:10.1561/1500000011"

    default_seeds: ClassVar[int] = 3

    data: str = setting("imdb", "imdb, or folder: texts of your own", choices=("imdb", OWN))
    train: int = setting(2000, "the most training texts; 0: all", "texts", low=0, high=10_000_000)
