"""A structural law as data: which synapses of a pool die and which come alive, as Brian2 text, with the paper it comes from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from brian2 import Quantity, get_dimensions, second
from brian2.utils.stringtools import get_identifiers

from plasticity import given
from plasticity.checked import checked
from plasticity.errors import WrongUse, unknown
from plasticity.settings import setting

__all__ = ["Law", "Structure"]

OWN = (
    "alive",
    "fresh",
    "law_dies",
    "law_grows",
    "law_rank",
    "law_axons",
    "law_dendrites",
    "law_share",
    "age",
    "past",
)  # variables of the synapses


@checked
@dataclasses.dataclass(frozen=True)
class Law:
    """What decides, at each update, which synapses of a pool die and which come alive.

    Texts are Brian2 expressions of the synapse (`w`, and `..._pre` and `..._post` of its neurons, traces there included), of the
    law's parameters, of `every`, the time between updates, and of `age`, the time since the structure of the pool began (that of
    all synapses, however long one has lived). A pool holds every synapse that there can be; those that are alive transmit and
    learn, the others are silent, which costs nothing between updates.

    Parameters
    ----------
    name, summary, source : str
        Its name in the registry, one line, and the paper with doi.
    parameters : dict
        The paper's symbols with their values.
    meaning : dict
        What each is.
    each : str
        Statements for the living synapses before each update, such as a decay of `w`.
    dies : str
        The probability that a living synapse dies at an update.
    weakest : str
        Or (beside `dies`: at least) the share of the living ones that die, those of the lowest `rank` first.
    rank : str
        What they are ranked by.
    grows : str
        The probability that a silent synapse comes alive at an update; with `kept` its weight among the silent ones.
    kept : bool
        As many come alive as have died, drawn from all that are silent then, so that their number is constant.
    elements : (str, str)
        Or synapses are made of elements: how many the neuron of each side has (`("axon_pre", "dendrite_post")`). A neuron with
        fewer elements than synapses loses as many at random; free elements of both sides are paired at random.
    born : str
        Statements for a synapse that comes alive, mostly its first weight. Its traces begin at 0.
    needs : dict
        Variables of the neurons, with the side, that the texts read, and what they are.
    holds : str
        What must hold of the parameters, such as `0 <= share <= 1`: others are refused.

    Raises
    ------
    WrongUse
        A law that lets nothing die or grow, one of elements with another way beside it, or names that are taken.
    """

    name: str
    summary: str
    source: str
    parameters: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    meaning: Mapping[str, str] = dataclasses.field(default_factory=dict)
    each: str = ""
    dies: str = ""
    weakest: str = ""
    rank: str = "abs(w)"
    grows: str = ""
    kept: bool = False
    elements: tuple[str, str] | None = None
    born: str = ""
    needs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    holds: str = ""

    def __post_init__(self) -> None:
        taken = sorted({*self.parameters} & {*OWN, "w", "every", "plastic"})
        if taken:
            raise WrongUse(f"the law {self.name} has a parameter {taken[0]}, which is a variable of every pool; rename it.")
        if self.elements and (self.dies or self.weakest or self.grows or self.kept):
            raise WrongUse(
                f"the law {self.name} has elements, which say what dies and grows; leave out dies, weakest, grows, kept."
            )
        if not (self.elements or self.dies or self.weakest or self.grows):
            raise WrongUse(f"the law {self.name} lets nothing die or grow; give it dies=, weakest=, grows= or elements=.")
        if self.kept and not (self.dies or self.weakest):
            raise WrongUse(f"the law {self.name} keeps the number alive and lets none die; give it dies= or weakest=.")

    def __call__(self, **changed: Any) -> Law:
        """The same law with other parameters.

        Raises
        ------
        WrongUse
            A name that is no parameter, or a value of another unit.
        """
        for name, value in changed.items():
            if name not in self.parameters:
                raise unknown(f"parameter of {self.name}", name, self.parameters)
            like = self.parameters[name]
            bare = value if isinstance(value, (int, float, np.number, Quantity)) else None
            if bare is None or given.one(np.asarray(bare)) is None or get_dimensions(bare) != get_dimensions(like):
                raise WrongUse(f"{self.name}: {name}={value!r} must be one number like {like!r}.")
        parameters = {**self.parameters, **changed}
        told = {name: float(np.asarray(value)) for name, value in parameters.items()}
        if self.holds and not eval(self.holds, {"__builtins__": {}}, told):
            given_as = ", ".join(f"{name}={value}" for name, value in parameters.items() if name in get_identifiers(self.holds))
            raise WrongUse(f"{self.name}: {given_as}; it needs {self.holds}.")
        return dataclasses.replace(self, parameters=parameters)

    @checked
    def equations(self, uniform: bool = False) -> str:
        """What the synapses carry for it; `uniform`: all silent ones come alive with one probability."""
        lines = ["alive : boolean", "fresh : boolean", "every : second (shared, constant)"]
        lines += ["past : integer (shared)", "age = past*every : second (shared)"]
        lines += [f"{name} : {given.unit_of(value)} (shared, constant)" for name, value in self.parameters.items()]
        shared = {"law_share", *(["law_grows"] if uniform else [])}
        return "\n".join([*lines, *(f"{name} : 1{' (shared)' * (name in shared)}" for name in self.computed())])

    def computed(self) -> dict[str, str]:
        """What is computed for each synapse before an update: variable -> expression."""
        found = {"law_dies": self.dies, "law_share": self.weakest, "law_rank": self.rank if self.weakest else ""}
        found |= {"law_grows": self.grows or ("1" if self.kept or self.elements else "")}
        found |= dict(zip(("law_axons", "law_dendrites"), self.elements or ("", ""), strict=True))
        return {name: text for name, text in found.items() if text}


@dataclasses.dataclass(frozen=True)
class Structure:
    """Which synapses of a pool are alive changes by a law, beside any rule: give it as `structure=` to `Rule.synapses`.

    Connect the pool, every synapse that there can be, and say which are alive at first: `S.alive = "rand() < 0.1"`. At the start
    of the run, and at each multiple of `every`, those that are alive are linked to their neurons, and only these transmit and
    learn. What is under way to a synapse that dies is lost.

    Parameters
    ----------
    law : Law
        Who dies and who comes alive.
    every : Quantity
        The time between updates.
    growth : str or float
        Multiplies the law's probability to grow, such as `"1 + attention_post"`; of laws with elements the probability that a
        pair of free elements becomes a synapse.
    survival : str or float
        Divides the probability to die, or multiplies the rank: attended synapses live longer where it is above 1 for them. As a
        text it must be above 0 wherever it is asked, as `"1 + attention_pre"` is: a living synapse dies where it is 0.

    Draws are a function of `S.structure.key`, of the number of the update and of the synapse alone: the same key gives the same
    structure in C++ and in NumPy, and a run that goes on where another stopped that of one piece. Let the key follow from the
    seed, and give each pool of a network another one (2*seed, 2*seed + 1): pools of one key draw alike. What the texts of a law
    draw themselves (the random walk of DEEP R, first weights) comes from Brian2's generator, and is another on each target.

    Raises
    ------
    WrongUse
        A law that is none, a time that is none, a factor that is neither text nor a number above 0.
    """

    name: ClassVar[str] = "structure"
    summary: ClassVar[str] = "synapses of a pool come and go by a law, beside any rule, gate, bound and eligibility"
    source: ClassVar[str] = (
        "each law has its own; review: Butz, Woergoetter & van Ooyen 2009, doi:10.1016/j.brainresrev.2008.12.023"
    )
    example: ClassVar[str] = "rule.synapses(source, target, structure=Structure(contacts, every=100*ms))"

    law: Law
    every: Quantity = dataclasses.field(default_factory=lambda: 1 * second)
    growth: str = setting("1", "multiplies the probability to grow")
    survival: str = setting("1", "divides the probability to die")

    def __post_init__(self) -> None:
        if not isinstance(self.law, Law):
            name = self.law if isinstance(self.law, str) else "contacts"
            raise WrongUse(f"law={self.law!r} must be a law; `plasticity list laws` shows them, write LAWS[{name!r}].")
        if not (given.seconds(self.every) or 0) > 0:
            raise WrongUse(f"every={self.every} must be a positive time, for example 1*second.")
        for name in ("growth", "survival"):
            value = getattr(self, name)
            number = given.one(value)
            if number is None and isinstance(value, str):
                try:
                    number = float(value)
                except ValueError:
                    if value.strip():
                        continue
            if number is None or not 0 < number < float("inf"):
                raise WrongUse(
                    f"{name}={value!r} must be Brian2 text or a number above 0, for example {name}='1 + attention_pre'."
                )
            object.__setattr__(self, name, repr(number))

    @property
    def uniform(self) -> bool:
        """Whether all silent synapses come alive with one probability, or weight among them, or none does."""
        grows = f"({self.law.computed().get('law_grows', '1')})*({self.growth})"
        return not self.law.elements and get_identifiers(grows) <= {*self.law.parameters, "every", "age", "exp", "int", "log"}

    def equations(self) -> str:
        """What the synapses carry for it."""
        return self.law.equations(self.uniform)

    def text(self) -> str:
        """Statements that compute what the law says of each synapse."""
        shared: list[str] = []
        lines = [self.law.each] if self.law.each else []
        for name, text in self.law.computed().items():
            factor = {
                "law_dies": f"({text})/({self.survival})",
                "law_rank": f"({text})*({self.survival})",
                "law_grows": f"({text})*({self.growth})",
            }.get(name, text)
            (shared if name == "law_share" or name == "law_grows" and self.uniform else lines).append(f"{name} = {factor}")
        return "\n".join([*shared, *lines])  # what all share has to come first in Brian2
