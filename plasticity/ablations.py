"""Ablations: a learner without one of its ingredients, by name. What is lost says what the ingredient is worth.

    learner = SpikingClassifier()
    ablation = learner.ablations()["order_reversed"]
    without = clone(learner).set_params(**ablation.settings)

`plasticity ablate LEARNER --task T` puts all of them to the same trials as the learner itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.cluster import KMeans

from plasticity.checked import checked
from plasticity.errors import WrongUse
from plasticity.rules import Rule

INTACT = "intact"
JITTERS_MS = (5.0, 20.0, 50.0)
WEIGHTS = ("learnt", "frozen", "class_means", "examples", "k_means")
"""Where the weights of a network come from: "learnt" by the rule, or "frozen" as they were drawn, or set to what training
trials look like: the mean of each class, single trials, centres of k-means."""


@checked
@dataclass(frozen=True)
class Ablation:
    """What is taken away.

    Parameters
    ----------
    name, summary : str
        What it is called, and one line.
    settings : dict
        What is changed of the learner.
    """

    name: str
    summary: str
    settings: Mapping[str, Any] = field(default_factory=dict)


def of_rule(rule: Rule) -> list[Ablation]:
    """Depression off and order reversed, where the rule allows it."""
    found = []
    for name, summary, change in (
        ("depression_off", "no change by the rule weakens a synapse", rule.without_depression),
        ("order_reversed", "what pre before post did, post before pre does", rule.reversed),
    ):
        with contextlib.suppress(WrongUse):
            found.append(Ablation(name, summary, {"rule": change()}))
    return found


def of_timing() -> list[Ablation]:
    """What plasticity is shown in place of the presynaptic spikes; transmission stays as it is."""
    jitters = [
        Ablation(
            f"jitter_{time:g}_ms", f"plasticity sees presynaptic spikes moved by {time:g} ms (s.d.)", {"jitter_ms": float(time)}
        )
        for time in JITTERS_MS
    ]
    return [*jitters, Ablation("rates_only", "plasticity sees each train shuffled within its trial", {"rates_only": True})]


def of_weights() -> list[Ablation]:
    """Weights that no rule has learnt; thresholds adapt as before."""
    return [
        Ablation("weights_frozen", "weights stay as they were drawn", {"weights": "frozen"}),
        Ablation("weights_class_means", "weights are the mean training trial of each class", {"weights": "class_means"}),
        Ablation("weights_examples", "weights are training trials, drawn for each class", {"weights": "examples"}),
        Ablation("weights_k_means", "weights are centres of k-means of each class", {"weights": "k_means"}),
    ]


def by_name(ablations: Iterable[Ablation]) -> dict[str, Ablation]:
    """Ablations by their names."""
    return {one.name: one for one in ablations}


@checked
def prototypes(
    weights: str, patterns: np.ndarray, labels: np.ndarray, per_class: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """What stands in for learnt weights, (features, neurons), neurons of a class side by side.

    Parameters
    ----------
    weights : str
        "class_means", "examples" or "k_means".
    patterns : (trials, features)
        The training trials as the plastic synapses meet them.
    labels : (trials,)
        The number of the class of each.
    per_class : (classes,)
        How many neurons each class has. Where it has fewer trials than neurons they are used again.
    """
    columns = []
    for label, wanted in enumerate(per_class):
        own = patterns[labels == label]
        seed = int(rng.integers(2**31))
        if weights == "class_means":
            found = own.mean(axis=0, keepdims=True)
        elif weights == "k_means":
            number = min(int(wanted), len(np.unique(own, axis=0)))
            found = KMeans(number, n_init=4, random_state=seed).fit(own).cluster_centers_
        elif weights == "examples":
            found = own[np.random.default_rng(seed).permutation(len(own))[:wanted]]
        else:
            raise WrongUse(f'weights={weights!r} has no prototypes; give "class_means", "examples" or "k_means".')
        columns.append(found[np.arange(wanted) % len(found)])
    return np.concatenate(columns).T
