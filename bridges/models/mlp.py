"""The baselines without attention: both images and the cue into one multilayer perceptron."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from bridges.models.backbone import Model


def join(tokens: Tensor, cue: Tensor) -> Tensor:
    """`[x_1; ...; x_streams; onehot(cue)]`, (n, streams * features + streams)."""
    asked = functional.one_hot(cue, tokens.shape[1]).to(tokens.dtype)  # (n, streams)
    return torch.cat([tokens.flatten(1), asked], dim=1)


class MLP(Model):
    """Multilayer perceptron on the concatenated streams and the one-hot cue.

    `context = W [x_1; ...; x_streams; onehot(cue)] + b`; the ReLU layers of the head follow. It has all that attention has to
    know, and no structure that says what to do with it.

    Source: Rumelhart, Hinton & Williams 1986, Learning representations by back-propagating errors, doi:10.1038/323533a0.
    """

    name = "mlp"
    summary = "multilayer perceptron on both images and the cue, concatenated"
    source = "Rumelhart, Hinton & Williams 1986, doi:10.1038/323533a0"
    cost = 4.0
    chosen_for = frozenset({"image", "pairs", "streams"})

    def __init__(
        self, streams: int, features: int, classes: int, hidden: int = 192, dropout: float = 0.3, query: str = "cue"
    ) -> None:
        super().__init__(streams, features, classes, hidden, dropout, query)
        self.joint = nn.Linear(streams * features + streams, hidden)

    def context(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.joint(join(tokens, cue))  # (n, hidden)


class SigmoidMLP(MLP):
    """The multilayer perceptron of `MLP` with sigmoid units, trained to the least squared error.

    `context = W_1 [x_1; ...; x_streams; onehot(cue)] + b_1`, `outputs = s(W_3 s(W_2 s(context) + b_2) + b_3)`,
    `s(a) = 1 / (1 + exp(-a))`: the units of the first paper on back-propagation, those of the output too. What `forward` gives
    are these outputs, from 0 to 1, and the error is that of `bridges.training.squared_error`.

    Source: Rumelhart, Hinton & Williams 1986, Learning representations by back-propagating errors, doi:10.1038/323533a0.
    """

    name = "mlp_sigmoid"
    summary = "multilayer perceptron with sigmoid units on both images and the cue, trained to the least squared error"
    source = "Rumelhart, Hinton & Williams 1986, doi:10.1038/323533a0"
    settings = {
        "learning_rate": 2e-2,
        "weight_decay": 0.1,
        "epochs": 100,
    }  # chosen on validation trials of CuedDigits, draws 100 and 101
    cost = 7.0
    chosen_for = frozenset()
    loss = "squared_error"
    activation = nn.Sigmoid

    def __init__(
        self, streams: int, features: int, classes: int, hidden: int = 192, dropout: float = 0.3, query: str = "cue"
    ) -> None:
        super().__init__(streams, features, classes, hidden, dropout, query)
        self.head = nn.Sequential(self.head, nn.Sigmoid())
