"""The network of the spiking learner with a learned gate as ordinary units, trained by back-propagation."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from bridges.models.backbone import Model, masked_softmax


class ReluBackprop(Model):
    """Gated streams, one layer of rectified units, one unit a class: what `RateBrainProp` has, trained by gradient.

    `logits = W_2 relu(W_1 sum_i g_i x_i)`, `g = softmax(a[cue])`; no biases, as there. It is told every trial's label.

    Source: Rumelhart, Hinton & Williams 1986, doi:10.1038/323533a0; Nair & Hinton 2010, Rectified linear units improve restricted
    Boltzmann machines, ICML 27.
    """

    name = "relu_backprop"
    summary = "the network of spiking_learned_gate as rectified units, trained by back-propagation"
    source = "Rumelhart, Hinton & Williams 1986, doi:10.1038/323533a0"
    settings = {"hidden": 400, "dropout": 0.5, "epochs": 120}
    cost = 4.0
    chosen_for = frozenset({"image"})
    sums_to_one = True

    def __init__(
        self, streams: int, features: int, classes: int, hidden: int = 400, dropout: float = 0.3, query: str = "cue"
    ) -> None:
        super().__init__(streams, features, classes, hidden, dropout, query)
        self.below = nn.Linear(features, hidden, bias=False)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden, classes, bias=False))
        self.ask(streams)
        nn.init.zeros_(self.query.weight)  # equal gains

    def weights(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        return masked_softmax(self.question(tokens, cue), self.attended(cue, mask))  # (n, streams)

    def context(self, tokens: Tensor, cue: Tensor, mask: Tensor | None = None) -> Tensor:
        gated = (self.weights(tokens, cue, mask)[:, :, None] * tokens).sum(dim=1)
        return functional.relu(self.below(gated))  # (n, hidden)
