"""The small network that every attention model shares: standardised input, a mechanism, a classifier head."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from plasticity.checked import checked
from plasticity.errors import WrongUse, unknown

MOST_UNITS = 20_000  # of a layer, and of whatever else is counted: a matrix of so many squared takes 1.6 GB


class Model(nn.Module, ABC):
    """A classifier of cued trials: `logits = head(context(standardised stimulus, cue))`.

    A mechanism says only how the streams and the cue become one context vector of length `hidden`; everything else is the same
    for all of them. The head is `activation`, dropout, linear, `activation`, dropout, linear.

    Parameters
    ----------
    streams, features, classes : int
        Shape of the problem: images shown at once, pixels of each, possible answers.
    hidden : int
        Length of the context vector and of the head's hidden layer.
    dropout : float
        Probability that a hidden unit is silenced in a training step (Srivastava et al. 2014, JMLR 15:1929-1958).
    query : str
        "cue": the cue asks, the cued stream is one of those that may be attended. "content": what the cued stream shows asks
        about the others, and it is not attended itself. A model that asks no question (`mlp`, `mlp_sigmoid`,
        `feature_*`) sees the cued stream like the others in either case.

    Every method takes a `mask` (n, streams), True where a stream is there (None: all are). What a masked stream shows changes
    nothing, and its weight is exactly 0.

    Raises
    ------
    WrongUse
        An unknown `query`; a question of content with one stream alone; a mask that leaves a trial no stream to attend.

    Beware: `mean` and `scale` are 0 and 1 until `standardise_by` was given the training stimuli.
    """

    name: ClassVar[str]
    summary: ClassVar[str] = ""
    source: ClassVar[str] = ""
    settings: ClassVar[dict[str, Any]] = {}  # parameters of TorchClassifier that suit it better than the defaults
    cost: ClassVar[float] = 5.0  # about how long a fit takes beside other learners
    chosen_for: ClassVar[frozenset[str]] = frozenset()  # kinds of tasks it is put to where no learners are named
    given: ClassVar[tuple[str, ...]] = ("teacher",)  # what it is told (`plasticity.learners.learner.GIVEN`), of several streams
    learns: ClassVar[tuple[str, ...]] = ("gate", "classes")  # what it has to learn (`LEARNS`), of several streams
    loss: ClassVar[str] = "cross_entropy"  # what training lowers; "squared_error" is the other one
    sums_to_one: ClassVar[bool] = False  # the attention weights of a trial sum to one
    activation: ClassVar[type[nn.Module]] = nn.ReLU
    cued: ClassVar[bool] = True  # a cue says which stream matters
    together: ClassVar[int] = 1 << 20  # how many trials are answered at a time, where nothing is learnt
    sizes: ClassVar[tuple[str, ...]] = ("streams", "features", "classes", "hidden")  # of which it is made
    mean: Tensor
    scale: Tensor
    query: nn.Embedding
    shown: nn.Linear

    @checked
    def __init__(
        self, streams: int, features: int, classes: int, hidden: int = 192, dropout: float = 0.3, query: str = "cue"
    ) -> None:
        super().__init__()
        for what, number in (("streams", streams), ("features", features), ("classes", classes), ("hidden", hidden)):
            if not 1 <= number <= MOST_UNITS:
                raise WrongUse(f"{self.name}: {what}={number} must be a whole number from 1 to {MOST_UNITS}.")
        if not 0 <= dropout < 1:
            raise WrongUse(f"{self.name}: dropout={dropout} must be 0 or more and below 1.")
        if query not in ("cue", "content"):
            raise unknown("query", str(query), ("cue", "content"))
        self.content = query == "content"
        if self.content and streams < 2:
            raise WrongUse(
                f"{self.name}: query='content' leaves {streams - 1} streams to ask about; give 2 or more, or query='cue'."
            )
        self.streams, self.features, self.classes, self.hidden = streams, features, classes, hidden
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("scale", torch.ones(()))
        act = self.activation
        self.head: nn.Module = nn.Sequential(
            act(), nn.Dropout(dropout), nn.Linear(hidden, hidden), act(), nn.Dropout(dropout), nn.Linear(hidden, classes)
        )

    def blank(self, trials: int) -> Tensor:
        """So many stimuli in which nothing is shown, (trials, streams, features): for counting what a trial costs."""
        return torch.zeros(trials, self.streams, self.features)

    def standardise_by(self, stimulus: Tensor, mask: Tensor | None = None) -> None:
        """Learn the standardisation from training stimuli (n, streams, features), all streams that are there pooled.

        Each feature gets its own mean; all share one standard deviation, so that a pixel at the edge of the image that is
        almost always dark is not blown up to the size of the informative ones.
        """
        pooled = stimulus.reshape(-1, self.features) if mask is None else stimulus[mask]  # (streams shown, features)
        self.mean.copy_(pooled.mean(dim=0))
        spread = (pooled - self.mean).square().mean().sqrt()  # ()
        self.scale.copy_(torch.where(spread > 0, spread, torch.ones_like(spread)))

    def standardise(self, stimulus: Tensor) -> Tensor:
        """Training mean to zero, training standard deviation to one."""
        return (stimulus - self.mean) / self.scale  # (n, streams, features)

    def ask(self, width: int) -> None:
        """Make the layers of `question`, of this width; a mechanism that asks one calls it in its constructor."""
        self.query = nn.Embedding(self.streams, width)  # a linear layer on the one-hot cue
        if self.content:
            self.shown = nn.Linear(self.features, width, bias=False)

    def question(self, tokens: Tensor, cue: Tensor) -> Tensor:
        """What is asked, (n, hidden): `W_q onehot(cue)`, and `+ W_s x_cue` where the content of the cued stream asks."""
        asked = self.query(cue)  # (n, hidden)
        if self.content:
            asked = asked + self.shown(tokens[torch.arange(len(cue), device=cue.device), cue])
        return asked

    def attended(self, cue: Tensor, mask: Tensor | None) -> Tensor | None:
        """Streams that may be attended, (n, streams): those of the mask without the one that asks; None where all may."""
        if not self.content:
            return mask
        others = functional.one_hot(cue, self.streams) == 0  # (n, streams)
        return others if mask is None else others & mask

    @abstractmethod
    def context(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        """What the mechanism makes of standardised streams (n, streams, features) and cue (n,): (n, hidden)."""

    def weights(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor | None:
        """Attention over the standardised streams (n, streams), or None where the mechanism has none."""
        return None

    def attention_weights(self, stimulus: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor | None:
        """Attention over the streams (n, streams), or None where the mechanism has none; see `sums_to_one`."""
        return self.weights(self._tokens(stimulus, cue, mask), cue, mask)  # (n, streams)

    def represent(self, stimulus: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        """The context that the head reads, (n, hidden)."""
        return self.context(self._tokens(stimulus, cue, mask), cue, mask)

    def forward(self, stimulus: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits (n, classes) of stimuli (n, streams, features) and cues (n,), the index of the cued stream."""
        return self.head(self.represent(stimulus, cue, mask))  # (n, classes)

    def _tokens(self, stimulus: Tensor, cue: Tensor, mask: Tensor | None) -> Tensor:
        """The standardised streams, 0 where none is there."""
        tokens = self.standardise(stimulus)  # (n, streams, features)
        if mask is None:
            return tokens
        there = self.attended(cue, mask)
        assert there is not None
        if self.content and not mask.gather(1, cue[:, None]).all():
            raise WrongUse(f"{self.name}: a mask hides the cued stream, which asks; it must be True there.")
        if not there.any(dim=1).all():
            raise WrongUse(f"{self.name}: a mask leaves a trial no stream to attend; it must be True for one at least.")
        return tokens.masked_fill(~mask[:, :, None], 0)


class StreamAttention(Model):
    """Each stream offers a key and a value; the context is the sum of the values, weighted.

    `context = sum_i a_i V_i`, with q the question, `K_i = W_k x_i + p_i`, `V_i = W_v x_i + b_v`; x_i what stream i shows,
    standardised, p_i a learned embedding of the stream (its position). A mechanism says what the weights a_i are.

    The keys have no bias and the query has none: a softmax cancels a bias common to all keys, and with a one-hot cue a bias
    on the query is already in W_q.
    """

    def __init__(
        self, streams: int, features: int, classes: int, hidden: int = 192, dropout: float = 0.3, query: str = "cue"
    ) -> None:
        super().__init__(streams, features, classes, hidden, dropout, query)
        self.ask(hidden)
        self.key = nn.Linear(features, hidden, bias=False)
        self.value = nn.Linear(features, hidden)
        self.position = nn.Parameter(torch.randn(streams, hidden) / math.sqrt(hidden))

    def keys(self, tokens: Tensor) -> Tensor:
        return self.key(tokens) + self.position  # (n, streams, hidden)

    @abstractmethod
    def weights(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        """Attention over the standardised streams (n, streams)."""

    def context(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        values = self.value(tokens)  # (n, streams, hidden)
        return (self.weights(tokens, cue, mask).unsqueeze(2) * values).sum(dim=1)  # (n, hidden)


def masked_softmax(score: Tensor, there: Tensor | None) -> Tensor:
    """Softmax over the last dimension, exactly 0 where `there` is False."""
    return torch.softmax(score if there is None else score.masked_fill(~there, -torch.inf), dim=-1)
