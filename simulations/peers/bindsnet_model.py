"""BindsNET's DiehlAndCook2015, one `run` of 350 steps of 1 ms for each image, one thread: FILE IMAGES.

The spikes of the inputs are drawn before the clock starts. BindsNET is installed without its dependencies (its pins would bring
GPU builds); what it imports and this network does not use is replaced by empty modules.
"""

import importlib.abc
import importlib.machinery
import importlib.metadata
import json
import sys
import time
from unittest.mock import MagicMock


class Empty(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Any module that is not there, but for torch's own."""

    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in ("torch", "numpy", "bindsnet", "scipy"):
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if name.partition(".")[0] in MISSING else None

    def create_module(self, spec):
        module = MagicMock(name=spec.name)
        module.__path__, module.__spec__, module.__name__ = [], spec, spec.name
        return module

    def exec_module(self, module):
        pass


MISSING = {
    "torchvision", "matplotlib", "mpl_toolkits", "pandas", "skimage", "cv2", "gym", "gymnasium", "ale_py", "foolbox", "numba",
    "sklearn", "tensorboardX", "librosa", "tqdm", "seaborn", "requests", "PIL", "torchaudio", "tensorboard",
}  # fmt: skip
sys.meta_path.append(Empty())

import numpy as np  # noqa: E402
import torch  # noqa: E402
from bindsnet.models import DiehlAndCook2015  # noqa: E402
from bindsnet.network.monitors import Monitor  # noqa: E402

torch.set_num_threads(1)
torch.manual_seed(1)
torch.set_grad_enabled(False)
file, count = sys.argv[1], int(sys.argv[2])
with np.load(file) as given:
    images, weights, theta = given["images"][:count], given["weights"], given["theta"]
network = DiehlAndCook2015(n_inpt=weights.shape[0], n_neurons=weights.shape[1], norm=78.0)
feature = network.connections[("X", "Ae")].pipeline[0]
feature.value.data[:] = torch.tensor(weights)
network.layers["Ae"].theta.data[:] = 1e3 * torch.tensor(theta) - 20  # its thresholds stand at -52 mV, ours at -72 mV
trains = (torch.rand(count + 1, 350, 1, weights.shape[0]) < torch.tensor(images)[[0, *range(count)], None, None] * 1e-3).byte()
spikes = 0
for k, train in enumerate(trains):
    if k == 1:
        began = time.perf_counter()
    network.run(inputs={"X": train}, time=350)
    network.reset_state_variables()
seconds = time.perf_counter() - began
seen = Monitor(network.layers["Ae"], ["s"], time=350)  # how many spikes: after the clock has stopped
network.add_monitor(seen, name="seen")
for train in trains[1:]:
    network.run(inputs={"X": train}, time=350)
    spikes += int(seen.get("s").sum())
    network.reset_state_variables()
version = f"{importlib.metadata.version('bindsnet')}, torch {torch.__version__}"
print(json.dumps({"seconds": seconds, "input_spikes": int(trains[1:].sum()), "output_spikes": spikes, "version": version}))
