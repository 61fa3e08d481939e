"""What an identity is, how far apart its two sides are, and what several of them share: softmax attention, random tokens."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torch.nn import functional

from plasticity.checked import checked
from plasticity.errors import WrongUse

KATHAROPOULOS = "Katharopoulos, Vyas, Pappas & Fleuret 2020, arXiv:2006.16236"


@checked
@dataclass(frozen=True)
class Identity:
    """One statement, and how to measure by how much it fails.

    Attributes
    ----------
    name : str
        Short name, such as I4a; letters count the parts of one identity.
    statement : str
        What is equal to what, in one line.
    tolerance : float
        What rounding in float64 may leave. 1e-12 where sums of up to a few hundred products are added in another order, each
        rounded at 1e-16 of its size; 1e-14 where the terms are positive and few; 1e-10 after 1000 steps of training, and through
        50 steps of a network that may amplify rounding; 0 where both sides do the same operations in the same order.
    source : str
        Who stated it or defined its sides (doi or arXiv number).
    largest_difference : callable
        `(rng) -> float`: draws one instance and gives max |a - b| / max |b| over all numbers a of one side and b of the other
        (see `difference`); for I6b the largest rise of the energy over the largest energy.
    """

    name: str
    statement: str
    tolerance: float
    source: str
    largest_difference: Callable[[np.random.Generator], float]


F = TypeVar("F", bound=Callable[..., Any])


def fitting(function: F) -> F:
    """`checked`, for a formula of arrays: shapes that do not go together, and no finite result, are a WrongUse."""
    asked = checked(function)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            with np.errstate(invalid="raise", over="raise"):
                return asked(*args, **kwargs)
        except WrongUse:
            raise
        except (RuntimeError, IndexError, ValueError, TypeError, ArithmeticError) as error:
            told = " ".join(str(error).split())
            raise WrongUse(
                f"{function.__name__}: these arguments do not go together ({told}); its docstring says the shapes."
            ) from error

    return call  # type: ignore[return-value]


@fitting
def difference(a: np.ndarray, b: np.ndarray) -> float:
    """max |a - b| / max |b|: relative to the largest value, so that sums which cancel are not blamed for it."""
    if np.shape(a) != np.shape(b):
        raise ValueError(f"the two sides have the shapes {np.shape(a)} and {np.shape(b)}")
    return float(np.abs(a - b).max() / np.abs(b).max())


@fitting
def softmax_attention(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, bias: np.ndarray | None = None, scale: float | None = None
) -> np.ndarray:
    """PyTorch's attention: softmax(scale q.k + bias) over the keys, times the values; scale is 1/sqrt(d) where None.

    Parameters
    ----------
    q, k, v : arrays (queries, d), (keys, d), (keys, outputs)
    bias : array (queries, keys)
        Added to the logits; minus infinity masks a key.

    Returns
    -------
    array (queries, outputs)
    """
    mask = None if bias is None else torch.from_numpy(bias)
    queries, keys, values = (torch.from_numpy(x) for x in (q, k, v))
    return functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, scale=scale).numpy()


def tokens(rng: np.random.Generator, steps: tuple[int, int] = (2, 200)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Queries, keys and values from the normal distribution, of random number and dimensions."""
    n, d, outputs = rng.integers(*steps), rng.integers(1, 33), rng.integers(1, 33)
    return rng.normal(size=(n, d)), rng.normal(size=(n, d)), rng.normal(size=(n, outputs))


def units(vectors: np.ndarray) -> np.ndarray:
    """Vectors divided by their lengths, along the last axis."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
