"""A gate that decides whether an input is attended, learned by gradient: logistic, on what is seen without attention.

With p = s(w . x + b) the chance that input x is attended, and g the gain in the chance of a right answer that attention brings
there, it maximises the mean of p (g - price), which is the expected reward but for a constant (conditional computation: Bengio et
al. 2015, arXiv:1511.06297; there by sampling, here the expectation is exact).
"""

from __future__ import annotations

import numpy as np
import torch

from bridges.training import one_thread, seeded
from plasticity.checked import checked

STEPS, RATE, DECAY = 300, 0.05, 1e-3  # chosen on the draw of seed 1000


@checked
def gate_by_gradient(X: np.ndarray, gain: np.ndarray, price: float, seed: int) -> np.ndarray:
    """w and, last, b of the gate, (features + 1,); X (n, features) centred and of about spread 1, gain (n,)."""
    cpu = torch.device("cpu")
    with one_thread(), seeded(seed, cpu):
        shown, worth = (torch.as_tensor(part, dtype=torch.float32) for part in (X, gain))
        gate = torch.nn.Linear(X.shape[1], 1)
        moving = torch.optim.AdamW(gate.parameters(), lr=RATE, weight_decay=DECAY)
        for _ in range(STEPS):
            moving.zero_grad()
            loss = -(torch.sigmoid(gate(shown)[:, 0]) * (worth - price)).mean()
            loss.backward()
            moving.step()
        return np.append(gate.weight.detach().numpy()[0], gate.bias.item()).astype(float)
