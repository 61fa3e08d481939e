"""Augmentation and attack: how many digits are still told apart when each pixel may be changed by eps.

Scans of digits are changed within eps of every pixel (intensities from 0 to 1), in four ways:

    noise   up or down by eps at random: what is no attack
    fgsm    one step along the gradient of the plain torch network (fast gradient sign method)
    pgd     projected gradient descent, ten steps, on the same network
    own     the same, for each network by its own gradient; of a spiking one by that of its twin in rates, with its weights

The very same images of the first three are shown to all networks:

    plain, spiking             trained on the scans; a multilayer perceptron by gradient, a spiking network that hears only
                               whether it was right
    augmented, spiking_augmented   the same, trained on the scans, scans moved by a pixel and noisy ones
    adversarial                plain, trained further on images that PGD makes against it, within `trained_eps`

Augmentation is tested by what it is for, test scans moved by a pixel. That a spiking network stands what was made against another
one says little; `own` is the test. It is a lower bound of what an attack can do: the gradient of rates is not that of spikes, and
inputs that fire a whole number of spikes round small changes off.

Sources: Goodfellow, Shlens & Szegedy 2015, arXiv:1412.6572; Madry et al. 2018, arXiv:1706.06083; Athalye, Carlini & Wagner 2018,
arXiv:1802.00420 (gradients that mislead an attack); Simard, Steinkraus & Platt 2003, doi:10.1109/ICDAR.2003.1227801
(augmentation).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.ndimage import shift

from plasticity.settings import setting
from plasticity.statistics import SHARE, interval, paired_difference
from simulations.figures.worked_networks import attacked
from simulations.frame.checks import beyond
from simulations.frame.execute import script
from simulations.frame.experiment import Arrays, Measure
from simulations.frame.worked import ON_DIGITS, SHARED, Example, OnBothSides, digits, share, spiking, told

if TYPE_CHECKING:
    from simulations.figures.kinds import Drawing

GOODFELLOW = "Goodfellow, Shlens & Szegedy 2015, arXiv:1412.6572"
MADRY = "Madry et al. 2018, arXiv:1706.06083"
ATHALYE = "Athalye, Carlini & Wagner 2018, arXiv:1802.00420"
SIMARD = "Simard, Steinkraus & Platt 2003, doi:10.1109/ICDAR.2003.1227801"
ATTACKS = ("noise", "fgsm", "pgd", "own")
NETWORKS = ("plain", "augmented", "adversarial", "spiking", "spiking_augmented")
PGD_STEPS, TRAINING_STEPS = 10, 5


def moved(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Scans (n, 64) moved by at most a pixel each way."""
    moves = rng.integers(-1, 2, (len(X), 2))
    return np.array([shift(one.reshape(8, 8), move, order=0).ravel() for one, move in zip(X, moves, strict=True)])


def augment(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Scans (n, 64) as they are, moved, and with normal noise of 0.15, (3 n, 64)."""
    return np.concatenate([X, moved(X, rng), np.clip(X + 0.15 * rng.standard_normal(X.shape), 0, 1)])


@dataclass(frozen=True)
class Robustness(OnBothSides):
    __doc__ = __doc__

    name: ClassVar[str] = "robustness"
    summary: ClassVar[str] = "digits under noise, FGSM and PGD: plain, augmented and adversarial training, and spiking networks"
    source: ClassVar[str] = f"{GOODFELLOW}; {MADRY}; {ATHALYE}; {SIMARD}"
    measures: ClassVar[tuple[Measure, ...]] = tuple(
        Measure(f"{attack}_{network}", "", f"accuracy at the largest eps, {attack}, {network}", within=SHARE)
        for attack in ATTACKS for network in NETWORKS
    )  # fmt: skip

    eps: tuple[float, ...] = setting((0.0, 0.05, 0.1, 0.2, 0.3), "largest change of a pixel, in order", low=0, high=1)
    trained_eps: float = setting(0.1, "the same of the images that are trained against", low=0, high=1)
    scans: int = setting(800, "scans for training", low=50, high=1400)
    tests: int = setting(250, "scans for the test", low=20, high=390)

    def run(self, seed: int) -> Arrays:
        """accuracy (attacks, networks, eps), and moved (networks,): of test scans that are moved by a pixel."""
        from bridges.learners import LEARNERS
        from bridges.worked.attacks import fgsm, pgd, trained_against

        X, y, test, asked = digits(seed, self.scans, self.tests)
        rng = np.random.default_rng([seed, 31])
        more, labels = augment(X, rng), np.tile(y, 3)
        mlp = LEARNERS["mlp"].build().set_params(streams=1, random_state=seed, hidden=64, epochs=30)
        plain = mlp.fit(X, y)
        augmented = LEARNERS["mlp"].build().set_params(**mlp.get_params()).set_params(epochs=10).fit(more, labels)
        order = rng.permutation(len(more))
        networks = (
            plain, augmented, trained_against(plain, X, y, self.trained_eps, TRAINING_STEPS, 10, seed),
            spiking(seed, passes=20, **ON_DIGITS).fit(X, y), spiking(seed, passes=7, **ON_DIGITS).fit(more[order], labels[order]),
        )  # fmt: skip
        accuracy = np.empty((len(ATTACKS), len(NETWORKS), len(self.eps)))
        for e, eps in enumerate(self.eps):
            signs = rng.choice((-1.0, 1.0), test.shape)
            shown = [
                np.clip(test + eps * signs, 0, 1),
                fgsm(plain, test, asked, eps),
                pgd(plain, test, asked, eps, PGD_STEPS, seed),
            ]
            for n, network in enumerate(networks):
                for a, images in enumerate((*shown, pgd(network, test, asked, eps, PGD_STEPS, seed))):
                    accuracy[a, n, e] = np.mean(network.predict(images) == asked)
        right = [float(np.mean(network.predict(moved(test, np.random.default_rng([seed, 32]))) == asked)) for network in networks]
        return {"accuracy": accuracy, "moved": np.array(right)}

    def found(self, a: Arrays) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for n, network in enumerate(NETWORKS):
            told[f"accuracy, moved by a pixel, {network}"] = share(a["moved"][:, n], SHARED)
        for k, attack in enumerate(ATTACKS):
            for n, network in enumerate(NETWORKS):
                told[f"{attack}_{network}"] = share(a["accuracy"][:, k, n, -1], SHARED)
                for e, eps in enumerate(self.eps):
                    told[f"accuracy, {attack}, eps {eps:g}, {network}"] = share(a["accuracy"][:, k, n, e], SHARED)
        return told

    def examples(self, a: Arrays) -> Iterable[Example]:
        at = int(np.argmin(np.abs(np.array(self.eps) - self.trained_eps)))
        found, eps = a["accuracy"][:, :, :, at], self.eps[at]
        place = {name: k for k, name in enumerate(NETWORKS)}
        for network in ("plain", "spiking"):
            n = place[network]
            yield Example("adversarial images", beyond(
                f"eps {eps:g}: own attack below noise of the same size, {network}",
                paired_difference(found[:, 3, n], found[:, 0, n], shared=SHARED), below=0, kind="paper", source=GOODFELLOW,
            ))  # fmt: skip
        yield Example("adversarial training", beyond(
            f"eps {eps:g}: own attack, adversarial above plain",
            paired_difference(found[:, 3, place["adversarial"]], found[:, 3, 0], shared=SHARED), above=0, kind="paper",
            source=MADRY,
        ))  # fmt: skip
        yield Example("adversarial images", beyond(
            f"eps {eps:g}: PGD below FGSM, plain", paired_difference(found[:, 2, 0], found[:, 1, 0], shared=SHARED), below=0,
            kind="paper", source=f"more steps find worse images; {MADRY}",
        ))  # fmt: skip
        yield Example("none", beyond(
            f"eps {eps:g}: images made against the torch network hurt the spiking one less than its own",
            paired_difference(found[:, 2, place["spiking"]], found[:, 3, place["spiking"]], shared=SHARED), above=0, kind="own",
            source=f"control: the same attack by its own gradient; {ATHALYE}",
        ))  # fmt: skip
        for before, after in (("plain", "augmented"), ("spiking", "spiking_augmented")):
            yield Example("augmentation", beyond(
                f"test scans moved by a pixel: {after} above {before}",
                paired_difference(a["moved"][:, place[after]], a["moved"][:, place[before]], shared=SHARED), above=0,
                kind="paper", source=SIMARD,
            ))  # fmt: skip
        unchanged = a["accuracy"][:, 0, :, 0]
        least = int(unchanged.mean(axis=0).argmin())
        yield Example("none", beyond(
            "eps 0: the least accuracy of all networks", unchanged[:, least], above=0.9, kind="own",
            bounds=interval(unchanged[:, least], shared=SHARED, within=SHARE), source="control: nothing is changed",
            told=f"{NETWORKS[least]} {told(unchanged[:, least], SHARED)}, plain {told(unchanged[:, 0], SHARED)},"
            f" spiking {told(unchanged[:, place['spiking']], SHARED)}",
        ))  # fmt: skip

    def figures(self, a: Arrays) -> Mapping[str, Drawing]:
        return {"robustness": attacked(self.eps, ATTACKS, NETWORKS, a["accuracy"], SHARED)}


if __name__ == "__main__":
    script(Robustness.name)
