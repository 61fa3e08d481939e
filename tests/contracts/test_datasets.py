"""Data sets: found, verified, read strictly, downloaded with their checksum."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import http.server
import re
import socket
import struct
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pooch
import pytest

from plasticity import datasets
from plasticity.datasets import DATASETS, Archive, DataSet, Images, digits, fetch, parse_idx, status
from plasticity.errors import PlasticityError, WrongUse
from plasticity.registry import Registry

FILES = list(DATASETS["mnist"].files)
FETCH = "plasticity data --fetch mnist"
needs_mnist = pytest.mark.skipif(
    status("mnist").state == "missing",  # a damaged file fails the tests, it does not skip them
    reason="MNIST is not here: set PLASTICITY_DATA or fetch it",
)


def mnist() -> Images:
    """As it is known at the moment: `tiny` replaces it."""
    return datasets.DATASETS["mnist"]()


def idx(values: np.ndarray) -> bytes:
    """The IDX file of a uint8 array, not yet compressed."""
    return bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.fixture
def places(tmp_path, monkeypatch) -> tuple[Path, Path]:
    """Two empty folders: PLASTICITY_DATA/mnist and the user's cache."""
    own, cache = tmp_path / "own" / "mnist", tmp_path / "cache" / "mnist"
    monkeypatch.setenv("PLASTICITY_DATA", str(own.parent))
    monkeypatch.setattr(pooch, "os_cache", lambda project: cache.parent)
    own.mkdir(parents=True)
    cache.mkdir(parents=True)
    return own, cache


@pytest.fixture
def tiny(monkeypatch) -> dict[str, bytes]:
    """MNIST's four files, small: three training images, two test images, 2x2 pixels."""
    arrays = [np.arange(12).reshape(3, 2, 2), np.array([7, 0, 9]), np.arange(12, 20).reshape(2, 2, 2), np.array([1, 3])]
    files = {file: gzip.compress(idx(array.astype(np.uint8)), mtime=0) for file, array in zip(FILES, arrays, strict=True)}
    sums = {file: hashlib.md5(content, usedforsecurity=False).hexdigest() for file, content in files.items()}
    known = dataclasses.replace(DATASETS["mnist"], files=sums)
    monkeypatch.setattr(datasets, "DATASETS", Registry[DataSet]("data set", [DATASETS["digits"], known]))
    return files


def put(folder: Path, files: dict[str, bytes]) -> None:
    for file, content in files.items():
        (folder / file).write_bytes(content)


# ---- what is known


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_says_its_source_and_its_terms(name):
    known = DATASETS[name]
    assert known.name == name and known.summary and known.terms
    assert re.search(r"doi:10\.|arXiv:\d", known.source)
    assert all(len(bytes.fromhex(md5)) == 16 for md5 in known.files.values())
    packed = isinstance(known, Archive)
    assert (bool(known.files) or packed) == bool(known.url)
    assert known.url.startswith("https://" if known.files else ("http://", "https://", ""))  # what is in an archive is checked
    assert (bool(known.files) or packed) != bool(known.ships_with)
    if isinstance(known, Archive):
        assert known.count > 0 and len(bytes.fromhex(known.sha256)) == 32 and re.compile(known.picked).groups == 1


def test_an_unknown_data_set_is_answered_with_the_known_ones():
    for ask in (status, fetch):
        with pytest.raises(WrongUse, match="Did you mean 'mnist'.*Known: bbc, digits, imdb, mnist"):
            ask("mnits")


def test_digits_are_the_1797_scans_with_17_levels():
    images = digits()
    assert images.pixels.shape == (1797, 64) and images.pixels.dtype == np.uint8
    assert (images.pixels.min(), images.pixels.max(), images.brightest) == (0, 16, 16)
    np.testing.assert_array_equal(np.bincount(images.labels), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    assert images.test_from is None
    assert (status("digits").state, fetch("digits").state) == ("present", "present")


def test_intensity_runs_from_0_to_1_in_double_precision():
    images = digits()
    values = images.intensity(np.array([[0, 1], [2, 3]]))
    assert values.shape == (2, 2, 64) and values.dtype == np.float64
    np.testing.assert_array_equal(values[1, 0], images.pixels[2].astype(float) / 16)
    assert values.max() == 1


@needs_mnist
def test_mnist_is_whole_and_its_test_images_start_at_60000():
    images = mnist()
    assert images.pixels.shape == (70_000, 784) and images.pixels.dtype == np.uint8
    assert (images.test_from, images.brightest, images.pixels.max()) == (60_000, 255, 255)
    np.testing.assert_array_equal(np.bincount(images.labels[60_000:]), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
    np.testing.assert_array_equal(images.labels[:5], [5, 0, 4, 1, 9])  # the first digits everyone who drew MNIST has seen
    assert status("mnist").state == "present"


# ---- the IDX format


@pytest.mark.parametrize("values", [IMAGES, np.array([3, 1, 4], dtype=np.uint8)])
def test_an_idx_file_is_read_back_to_the_bit(values):
    read = parse_idx(gzip.compress(idx(values)), values.ndim, "file")
    np.testing.assert_array_equal(read, values)
    assert read.dtype == np.uint8


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (gzip.compress(idx(IMAGES))[:-12], "not a whole gzip file"),
        (gzip.compress(idx(IMAGES))[:5], "not a whole gzip file"),
        (b"<html>not found</html>", "not a whole gzip file"),
        (gzip.compress(idx(IMAGES))[:12] + b"\xff\xff" + gzip.compress(idx(IMAGES))[14:], "not a whole gzip file"),
        (gzip.compress(idx(IMAGES)[:-1]), "23 values where its header says 24"),
        (gzip.compress(idx(IMAGES) + b"\0"), "25 values where its header says 24"),
        (gzip.compress(idx(IMAGES)[:10]), "ends within its header"),
        (gzip.compress(b"\0\0\x0d\x03" + idx(IMAGES)[4:]), "magic number 00000d03 instead of 00000803"),
        (gzip.compress(idx(IMAGES[0])), "magic number 00000802 instead of 00000803"),
        (gzip.compress(b""), "magic number  instead of 00000803"),
        (b"", "magic number  instead of 00000803"),
    ],
    ids=[
        "cut",
        "cut in the gzip header",
        "a web page",
        "changed",
        "a pixel short",
        "a pixel long",
        "cut in the header",
        "float values",
        "labels for images",
        "empty content",
        "empty",
    ],
)
def test_a_truncated_or_wrong_idx_file_is_refused_by_its_name(packed, message):
    with pytest.raises(PlasticityError, match=f"^train-images.gz is damaged: .*{message}.*{FETCH}") as refused:
        parse_idx(packed, 3, "train-images.gz")
    assert "\n" not in str(refused.value)


# ---- where it lies, whether it is whole


def test_the_small_files_are_read_in_order_training_first(places, tiny):
    put(places[0], tiny)
    images = mnist()
    np.testing.assert_array_equal(images.pixels, np.arange(20).reshape(5, 4))
    np.testing.assert_array_equal(images.labels, [7, 0, 9, 1, 3])
    assert images.test_from == 3


def test_the_folder_of_the_user_comes_before_the_cache(places, tiny):
    own, cache = places
    put(cache, tiny)
    assert (status("mnist").state, status("mnist").folder) == ("present", str(cache))
    assert mnist().test_from == 3
    put(own, tiny)
    assert (status("mnist").state, status("mnist").folder) == ("present", str(own))


@pytest.mark.parametrize("unset", [None, "", "  "])
def test_without_plasticity_data_the_cache_is_used(places, tiny, monkeypatch, unset):
    own, cache = places
    put(own, tiny)
    put(cache, tiny)
    monkeypatch.delenv("PLASTICITY_DATA")
    if unset is not None:
        monkeypatch.setenv("PLASTICITY_DATA", unset)
    assert status("mnist").folder == str(cache)


def test_missing_data_names_the_file_the_folders_and_what_to_do(places):
    told = status("mnist")
    assert (told.state, told.folder) == ("missing", None)
    with pytest.raises(PlasticityError) as refused:
        mnist()
    message = str(refused.value)
    assert message == told.detail and "\n" not in message
    for part in (FILES[0], *map(str, places), FETCH, "PLASTICITY_DATA"):
        assert part in message


@pytest.mark.parametrize("file", FILES)
def test_one_missing_file_is_named(places, tiny, file):
    put(places[0], tiny)
    (places[0] / file).unlink()
    assert (status("mnist").state, status("mnist").folder) == ("missing", str(places[0]))
    with pytest.raises(PlasticityError, match=f"{file} is missing.*{FETCH}"):
        mnist()


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(
    "spoil", [lambda content: content[:-7], lambda content: content + b"\0", lambda content: b""], ids=["cut", "longer", "empty"]
)
def test_one_truncated_or_longer_file_is_named_although_another_folder_is_whole(places, tiny, file, spoil):
    own, cache = places
    put(cache, tiny)
    put(own, tiny | {file: spoil(tiny[file])})
    assert (status("mnist").state, status("mnist").folder) == ("damaged", str(own))
    with pytest.raises(PlasticityError, match=f"{file} is damaged.*{FETCH}") as refused:
        mnist()
    assert str(own) in str(refused.value) and "\n" not in str(refused.value)


def test_a_changed_pixel_is_found_by_the_checksum(places, tiny):
    content = bytearray(gzip.decompress(tiny[FILES[0]]))
    content[-1] ^= 1  # still a whole IDX file
    put(places[0], tiny | {FILES[0]: gzip.compress(bytes(content), mtime=0)})
    with pytest.raises(PlasticityError, match=f"{FILES[0]} is damaged"):
        mnist()


def test_a_folder_in_the_place_of_a_file_is_one_sentence(places, tiny):
    put(places[0], tiny)
    (places[0] / FILES[2]).unlink()
    (places[0] / FILES[2]).mkdir()
    assert status("mnist").state == "damaged"
    with pytest.raises(PlasticityError, match=f"{FILES[2]} cannot be read.*{FETCH}"):
        mnist()


# ---- download


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def server(tmp_path, tiny, monkeypatch):
    """The small files behind a local address that stands for the real one."""
    shop = tmp_path / "shop"
    shop.mkdir()
    put(shop, tiny)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=shop)) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        redirect(monkeypatch, f"http://127.0.0.1:{running.server_port}/")
        yield shop
        running.shutdown()


def redirect(monkeypatch, url: str) -> None:
    known = dataclasses.replace(datasets.DATASETS["mnist"], url=url)
    monkeypatch.setattr(datasets, "DATASETS", Registry[DataSet]("data set", [DATASETS["digits"], known]))


def test_fetch_downloads_into_the_folder_of_the_user_and_then_it_loads(places, server):
    assert status("mnist").state == "missing"
    told = fetch("mnist")
    assert (told.state, told.folder) == ("present", str(places[0]))
    assert mnist().test_from == 3


def test_fetch_without_plasticity_data_downloads_into_the_cache(places, server, monkeypatch):
    monkeypatch.delenv("PLASTICITY_DATA")
    assert (fetch("mnist").state, fetch("mnist").folder) == ("present", str(places[1]))


def test_fetch_replaces_a_damaged_file(places, server, tiny):
    put(places[0], tiny | {FILES[3]: tiny[FILES[3]][:-5]})
    assert status("mnist").state == "damaged"
    assert fetch("mnist").state == "present"


def test_fetch_refuses_a_download_with_another_checksum(places, server):
    (server / FILES[1]).write_bytes(b"something else")
    with pytest.raises(PlasticityError, match=f"could not download .*{FILES[1]}"):
        fetch("mnist")
    assert not (places[0] / FILES[1]).exists()


def test_fetch_of_a_file_that_the_server_lacks_says_what_to_do(places, server):
    (server / FILES[0]).unlink()
    with pytest.raises(PlasticityError, match="HTTPError.*PLASTICITY_DATA=FOLDER"):
        fetch("mnist")


def test_fetch_without_a_connection_is_one_sentence_that_says_what_to_do(places, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as taken:  # bound but not listening: every connection is refused
        taken.bind(("127.0.0.1", 0))
        redirect(monkeypatch, f"http://127.0.0.1:{taken.getsockname()[1]}/")
        with pytest.raises(PlasticityError, match="could not download.*check the connection.*PLASTICITY_DATA=FOLDER") as refused:
            fetch("mnist")
    assert "\n" not in str(refused.value) and FILES[0] in str(refused.value)


def test_fetch_into_a_folder_that_cannot_be_made_is_one_sentence(tmp_path, server, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("PLASTICITY_DATA", str(tmp_path / "file"))
    with pytest.raises(PlasticityError, match="the folder can be written"):
        fetch("mnist")
