"""An attention-weighted sum of features, fitted by gradient: loss, derivatives by hand, and the same by autograd.

    prediction_n = sum_i alpha_i(w) x_ni,    loss = (1/2n) sum_n (prediction_n - y_n)^2

alpha is `bridges.models.feature_attention.weigh`: linear (alpha = w), exponential (exp w) or softmax. With linear weights the
step against the gradient is the delta rule, which is local: each weight moves by its own input times the common error.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from bridges.models.feature_attention import weigh
from bridges.training import one_thread
from plasticity.checked import checked


def _loss(w: Tensor, X: Tensor, y: Tensor, kind: str) -> Tensor:
    return (X @ weigh(w, kind) - y).square().mean() / 2


def _tensors(*arrays: np.ndarray) -> list[Tensor]:
    return [torch.as_tensor(np.asarray(array, dtype=np.float64)) for array in arrays]


@checked
def weights(w: np.ndarray, kind: str) -> np.ndarray:
    """alpha of w by `weigh`, in double precision."""
    with one_thread():
        return weigh(_tensors(w)[0], kind).numpy()


@checked
def by_autograd(w: np.ndarray, X: np.ndarray, y: np.ndarray, kind: str) -> tuple[float, np.ndarray, np.ndarray]:
    """Loss, gradient (features,) and Hessian (features, features) at w (features,), of X (n, features) and y (n,)."""
    at, shown, asked = _tensors(w, X, y)
    with one_thread():
        loss = torch.func.grad_and_value(_loss)
        gradient, value = loss(at, shown, asked, kind)
        hessian = torch.func.hessian(_loss)(at, shown, asked, kind)
    return float(value), gradient.numpy(), hessian.numpy()
