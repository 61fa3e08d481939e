"""A trained torch model as plain arrays and numbers, and made again of them; the rest of a learner is `plasticity.saving`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from bridges.models import Model
from bridges.training import seeded
from plasticity.errors import PlasticityError, WrongUse

if TYPE_CHECKING:
    from bridges.torch_learner import TorchLearner


def numbers(classifier: TorchLearner) -> dict[str, Any]:
    """What the model of a trained classifier is made of: its sizes, and its parameters and buffers as arrays.

    Raises
    ------
    WrongUse
        The model is none of `MODELS`: one of your own, given as an object.
    """
    model = classifier.model_
    if not classifier._known_by_name():
        raise WrongUse(
            f"model={type(model).__name__} was given as an object, which cannot be saved without pickle; derive it from"
            " bridges.models.Model in a file of your own and give its name, or keep model_.state_dict() yourself."
        )
    sizes = {name: int(getattr(model, name)) for name in model.sizes}
    arrays = {name: tensor.detach().cpu().numpy() for name, tensor in model.state_dict().items()}
    return {"sizes": sizes, "arrays": arrays, "training": model.training}


def model(classifier: TorchLearner, told: Mapping[str, Any], device: torch.device) -> Model:
    """The model that `numbers` told of, on a device.

    Raises
    ------
    PlasticityError
        The arrays are not those of this model.
    """
    sizes = told["sizes"]
    with seeded(0, device):  # torch's generator stays as it is
        made = classifier._remade(sizes)
    try:
        made.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in told["arrays"].items()})
    except RuntimeError as problem:
        first = " ".join(str(problem).split())
        raise PlasticityError(
            f"the saved numbers are not those of {classifier.model} ({first}); train and save it anew."
        ) from None
    return made.to(device).train(told["training"])
