"""News articles, each to be put into its class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from plasticity.settings import setting
from plasticity.tasks.texts import OWN, TextTask


@dataclass(frozen=True)
class News(TextTask):
    """An article is shown, word by word; the answer is what it is about: business, entertainment, politics, sport or tech.

    Source: Greene & Cunningham 2006, doi:10.1145/1143844.1143892. What tasks of texts share: `plasticity.tasks.texts.TextTask`.
    """

    name: ClassVar[str] = "news"
    summary: ClassVar[str] = "News articles, each to be put into its class; or texts of your own."
    source: ClassVar[str] = "Greene & Cunningham 2006, doi:10.1145/1143844.1143892"

    default_seeds: ClassVar[int] = 3

    data: str = setting("bbc", "bbc, or folder: texts of your own", choices=("bbc", OWN))
