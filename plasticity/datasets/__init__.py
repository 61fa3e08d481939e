"""Data sets of images by name. A new data set is one file and one import line here."""

# ruff: noqa: F401  (importing a data set registers it)

from plasticity.datasets.dataset import DataSet, Images, Status, parse_idx, split
from plasticity.datasets.digits import digits
from plasticity.datasets.mnist import mnist
from plasticity.registry import Registry

DATASETS: Registry[DataSet] = Registry(
    "data set", [value for value in list(globals().values()) if isinstance(value, DataSet)], of=DataSet
)


def status(name: str) -> Status:
    """Whether a data set is there and whole; WrongUse for an unknown one."""
    return DATASETS[name].status()


def fetch(name: str) -> Status:
    """Download what is missing or damaged of a data set; WrongUse for an unknown one, PlasticityError for a failed download."""
    return DATASETS[name].fetch()
