"""What is known by a name: the registries, each imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def registries() -> dict[str, Callable[[], Mapping[str, Any]]]:
    """The kinds of things that `plasticity list` shows, and what gives the registry of each."""

    def load(module: str, name: str) -> Callable[[], Mapping[str, Any]]:
        return lambda: getattr(import_module(module), name)

    return {
        "rules": load("plasticity.rules", "RULES"),
        "landings": load("plasticity.rules", "LANDINGS"),
        "laws": load("plasticity.structure", "LAWS"),
        "gates": load("plasticity.gates", "GATES"),
        "neurons": load("plasticity.neurons", "NEURONS"),
        "encoders": load("plasticity.encoders", "ENCODERS"),
        "tasks": load("plasticity.tasks", "TASKS"),
        "datasets": load("plasticity.datasets", "DATASETS"),
        "models": load("bridges.models", "MODELS"),
        "learners": load("bridges.learners", "LEARNERS"),
        "simulations": load("simulations", "SIMULATIONS"),
    }


def everything() -> dict[str, Mapping[str, Any]]:
    """All registries by their kind."""
    return {kind: get() for kind, get in registries().items()}
