"""Sounds: WAV files of every kind, the bank of filters, spoken digits and the cocktail party on small recordings made here."""

from __future__ import annotations

import io
import struct
import wave
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from plasticity import datasets
from plasticity.datasets.recordings import read_recordings, recordings
from plasticity.errors import PlasticityError, WrongUse
from plasticity.parallel import trials_generator
from plasticity.sounds import BANKS, FLOOR_DB, HIGHEST, LOWEST, RATE, Scale, bank, loudness, read_wav
from plasticity.tasks import CocktailParty, SpokenDigits

SPEAKERS = ("ann", "bob", "cem", "dan")
HERE = pytest.mark.skipif(
    datasets.status("spoken_digits").state == "missing",  # a damaged one fails the tests, it does not skip them
    reason="spoken digits are not here: set PLASTICITY_DATA or fetch them",
)


def tone(hertz: float, seconds: float = 0.3, rate: int = RATE, loud: float = 0.5) -> np.ndarray:
    return loud * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def wav(samples: np.ndarray, rate: int = RATE) -> bytes:
    """A WAV file of the type that the samples have; floats from -1 to 1 as 16 bits."""
    file = io.BytesIO()
    wavfile.write(file, rate, np.round(32767 * samples).astype(np.int16) if samples.dtype == np.float64 else samples)
    return file.getvalue()


def wav24(samples: np.ndarray, rate: int = RATE) -> bytes:
    """A WAV file of 24 bits, which SciPy does not write."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(3)
        out.setframerate(rate)
        out.writeframes(b"".join(struct.pack("<i", round(value * (2**23 - 1)))[:3] for value in samples))
    return file.getvalue()


def digits(folder: Path, classes: int = 3, speakers: tuple[str, ...] = SPEAKERS, times: int = 6, named: bool = True) -> Path:
    """Tones: a class has its frequency, a speaker a shift of it, a recording its length."""
    for label in range(classes):
        for s, speaker in enumerate(speakers):
            for k in range(times):
                samples = tone(400 * 2 ** (label + s / 8), 0.2 + 0.02 * k)
                name = f"{label}_{speaker}_{k}.wav" if named else f"class{label}/{k}{speaker}.wav"
                (folder / name).parent.mkdir(exist_ok=True, parents=True)
                (folder / name).write_bytes(wav(samples))
    return folder


# ---- WAV files


def test_a_wav_file_of_8000_hz_and_16_bits_is_read_as_it_is():
    sound = read_wav(wav(tone(440)), "a.wav")
    assert sound.done == () and np.abs(sound.samples - tone(440)).max() < 1e-4


@pytest.mark.parametrize("rate", [4000, 11025, 16000, 44100])
def test_another_rate_is_resampled_and_said(rate):
    sound = read_wav(wav(tone(440, rate=rate), rate), "a.wav")
    assert sound.done == (f"resampled from {rate} to 8000 Hz",)
    assert abs(len(sound.samples) - 2400) <= 1
    middle = slice(400, 2000)  # away from the ends, where a filter has too little to go on
    assert np.abs(sound.samples[middle] - tone(440)[middle]).max() < 0.02


def test_stereo_is_averaged_and_said():
    both = np.stack([tone(440), np.zeros(2400)], axis=1)
    sound = read_wav(wav(both), "a.wav")
    assert sound.done == ("2 channels averaged",) and np.abs(sound.samples - tone(440) / 2).max() < 1e-4


def test_24_bits_8_bits_and_floats_are_read_as_the_same_sound():
    wanted = tone(440)
    eight = np.round(wanted * 127 + 128).astype(np.uint8)
    for content, error in ((wav24(wanted), 1e-6), (wav(eight), 0.02), (wav(wanted.astype(np.float32)), 1e-6)):
        assert np.abs(read_wav(content, "a.wav").samples - wanted).max() < error


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.wav is empty; replace it"),
        (b"ID3 this is music of another kind", "a.wav is no WAV file that can be read"),
        (wav(tone(440))[:30], "a.wav is no WAV file that can be read"),
        (wav(np.zeros(0)), "a.wav holds no samples"),
        (wav(np.zeros(2400)), "a.wav is silent"),
        (wav(tone(440, 0.01)), "a.wav lasts 10 ms; give 20 ms or more"),
        (wav(np.full(2400, np.nan, np.float32)), "a.wav holds NaN or infinity"),
    ],
)
def test_what_is_no_sound_is_refused_in_one_sentence(content, message):
    with pytest.raises(PlasticityError, match=message) as refusal:
        read_wav(content, "a.wav")
    assert "\n" not in str(refusal.value) and str(refusal.value).endswith(".")


# ---- filters


@pytest.mark.parametrize("kind", BANKS)
def test_a_tone_is_loudest_in_the_band_that_has_its_frequency(kind):
    gain = bank(kind, 16)
    assert gain.shape == (16, 101) and gain.min() >= 0
    at = np.fft.rfftfreq(200, 1 / RATE)
    best = at[gain.argmax(axis=1)]
    assert (np.diff(best) >= 0).all() and best[0] < 200 and best[-1] > 3000
    for hertz in (300, 1000, 3000):
        heard = loudness(tone(hertz), 16, 8, kind)
        assert abs(int(heard.mean(axis=1).argmax()) - int(np.abs(best - hertz).argmin())) <= 1


def test_centres_of_gammatone_filters_are_even_on_the_scale_of_rectangular_bandwidths():
    gain = bank("gammatone", 12)
    at = np.fft.rfftfreq(200, 1 / RATE)
    scale = np.linspace(*(21.4 * np.log10(1 + 0.00437 * f) for f in (LOWEST, HIGHEST)), 12)
    centre = (10 ** (scale / 21.4) - 1) / 0.00437
    assert np.abs(at[gain.argmax(axis=1)] - centre).max() <= 40  # as near as the frequencies of a frame lie
    assert 0.99 < gain.max() < 1.2  # a filter lets what is at its centre through as it is


def test_time_goes_from_left_to_right_and_a_sound_is_stretched_or_silent_after_its_end():
    rising = np.concatenate([tone(300, 0.2), tone(2000, 0.2)])
    heard = loudness(rising, 16, 10)
    assert heard.shape == (16, 10) and heard.max() == 0 and heard.min() >= -FLOOR_DB
    assert heard[:, 1].argmax() < heard[:, 8].argmax()
    padded = loudness(rising, 16, 10, seconds=0.8)
    assert (padded[:, 6:] == -FLOOR_DB).all() and padded[:, 4].max() > -20
    np.testing.assert_allclose(loudness(3 * rising, 16, 10), heard, atol=1e-9)  # how loud it was recorded does not matter


def test_the_scale_is_of_training_maps_alone():
    rng = np.random.default_rng(0)
    maps = rng.normal(-30, 5, (50, 4, 6))
    scale = Scale.of(maps[:40])
    shown = scale(maps)
    assert shown.min() == 0 and shown.max() == 1 and 0.5 < np.mean((shown[:40] == 0) | (shown[:40] == 1)) < 0.52
    maps[40:] += 100
    np.testing.assert_array_equal(Scale.of(maps[:40])(maps[:40]), shown[:40])


# ---- recordings of one's own


def test_recordings_are_named_by_class_speaker_and_index_or_lie_in_folders(tmp_path):
    named = read_recordings(digits(tmp_path / "named"))
    assert named.names == ("0", "1", "2") and named.voices == SPEAKERS and len(named.samples) == 72
    in_folders = read_recordings(digits(tmp_path / "folders", named=False))
    assert in_folders.names == ("class0", "class1", "class2") and in_folders.voices == () and (in_folders.speakers == -1).all()
    lengths = iter(np.arange(0.1, 0.3, 0.01))
    said = recordings(
        {f"{label}/{who}_{k}.wav": wav(tone(440, next(lengths))) for label in "ab" for who in SPEAKERS for k in range(2)}
    )
    assert said.names == ("a", "b") and said.voices == SPEAKERS


def test_what_was_done_to_files_is_told(tmp_path):
    folder = digits(tmp_path)
    (folder / "0_ann_0.wav").write_bytes(wav(np.stack([tone(400, rate=16000)] * 2, axis=1), 16000))
    task = SpokenDigits(data="folder", folder=str(folder))
    assert set(task.hints({"spiking"})) == {
        "spoken_digits: 1 recordings: 2 channels averaged", "spoken_digits: 1 recordings: resampled from 16000 to 8000 Hz",
    }  # fmt: skip
    assert task.facts["recordings"] == 72 and task.facts["speakers"] == list(SPEAKERS) and len(task.facts["sha256"]) == 1


def test_copies_of_a_recording_are_left_out_and_said(tmp_path):
    folder = digits(tmp_path)
    (folder / "1_ann_99.wav").write_bytes((folder / "1_ann_0.wav").read_bytes())
    read = read_recordings(folder)
    assert len(read.samples) == 72
    assert read.notes == ("1 recordings are copies of others and left out, so that none is in training and in the test",)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda folder: None, "no .wav file"),
        (lambda folder: digits(folder, classes=1), "a choice needs 2"),
        (lambda folder: (folder / "sound.wav").write_bytes(wav(tone(440))), "tells no class"),
        (lambda folder: (digits(folder) / "1_ann_0.wav").write_bytes(b""), "1_ann_0.wav is empty"),
        (lambda folder: digits(folder, times=1, speakers=("ann", "bob")), "too few to be split"),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused_in_one_sentence(tmp_path, made, message):
    made(tmp_path)
    with pytest.raises(PlasticityError, match=message):
        SpokenDigits(data="folder", folder=str(tmp_path)).draw(np.random.default_rng(0))


def test_a_folder_that_is_not_there_or_not_given_is_refused():
    with pytest.raises(WrongUse, match="there is no folder"):
        SpokenDigits(data="folder", folder="nowhere").draw(np.random.default_rng(0))
    with pytest.raises(WrongUse, match="needs the folder"):
        SpokenDigits(data="folder").draw(np.random.default_rng(0))
    with pytest.raises(WrongUse, match="write data=folder"):
        SpokenDigits(folder="mine").draw(np.random.default_rng(0))


# ---- tasks


@cache
def own(folder: str, **settings) -> SpokenDigits:
    return SpokenDigits(data="folder", folder=folder, **settings)


def test_recordings_never_overlap_and_each_draw_splits_them_anew(tmp_path):
    task = own(str(digits(tmp_path)))
    draws = [task.draw(trials_generator(seed)) for seed in range(2)]
    for draw in draws:
        parts = [set(part.image.ravel()) for part in (draw.train, draw.validation, draw.test)]
        assert sum(map(len, parts)) == len(set.union(*parts)) == 72
        assert [len(part) for part in parts] == [51, 7, 14]
        assert draw.drawn_from == 72 and draw.shared > 0
    assert set(draws[0].test.image.ravel()) != set(draws[1].test.image.ravel())


def test_no_speaker_of_the_test_is_heard_in_training_or_validation_and_seeds_take_turns(tmp_path):
    task = own(str(digits(tmp_path)), split="speaker")
    speaker = task.read.speakers
    tested = []
    for seed in range(8):
        draw = task.draw(trials_generator(seed))
        train, held, test = (set(speaker[part.image.ravel()]) for part in (draw.train, draw.validation, draw.test))
        assert len(train) == len(held) == 3 and len(test) == 1 and not train & test and not held & test
        parts = [set(part.image.ravel()) for part in (draw.train, draw.validation)]
        assert not parts[0] & parts[1] and len(parts[1]) == 9  # one of each class and speaker
        assert draw.drawn_from == 0 and draw.shared == 0  # an interval over speakers, not over splits of the same recordings
        tested.append(test.pop())
    assert tested == [0, 1, 2, 3] * 2


def test_a_speaker_cannot_be_left_out_where_nobody_says_who_speaks(tmp_path):
    folder = str(digits(tmp_path, named=False))
    with pytest.raises(WrongUse, match="two speakers or more"):
        own(folder, split="speaker").draw(trials_generator(0))
    with pytest.raises(WrongUse, match="two speakers or more"):
        CocktailParty(data="folder", folder=folder, train=20, validation=10, test=10).draw(trials_generator(0))


def test_the_scale_of_a_draw_does_not_know_the_test(tmp_path):
    """Other test recordings, the same training: the training trials are the same to the bit."""
    folder = digits(tmp_path)
    before = own(str(folder)).draw(trials_generator(0))
    names = sorted(path.name for path in folder.iterdir())
    for number in before.test.image.ravel():
        (folder / names[number]).write_bytes(wav(tone(3000, 0.25) + 0.1 * np.random.default_rng(number).standard_normal(2000)))
    after = SpokenDigits(data="folder", folder=str(folder)).draw(trials_generator(0))
    np.testing.assert_array_equal(after.train.X, before.train.X)
    assert (after.test.X != before.test.X).any()


def test_at_a_cocktail_party_two_speakers_say_two_digits_and_share_no_recording_over_parts(tmp_path):
    task = CocktailParty(data="folder", folder=str(digits(tmp_path)), train=60, validation=20, test=30)
    draw = task.draw(trials_generator(0))
    parts = [draw.train, draw.validation, draw.test]
    shown = [set(part.image.ravel()) for part in parts]
    assert not shown[0] & shown[1] and not shown[0] & shown[2] and not shown[1] & shown[2]
    for part in parts:
        assert (part.stream_label[:, 0] != part.stream_label[:, 1]).all()
        voices = task.read.speakers[part.image]
        assert (voices[:, 0] != voices[:, 1]).all()
        assert abs(np.sum(2 * part.cue - 1)) <= 1 and np.ptp(np.bincount(part.label)) <= 1
        np.testing.assert_array_equal(task.ideal(part), part.label)
    assert task.without_attention == 0.5


def test_voices_are_mixed_before_the_filters_and_a_mix_of_0_leaves_each_ear_its_own(tmp_path):
    folder = str(digits(tmp_path))
    few = {"data": "folder", "folder": folder, "train": 20, "validation": 10, "test": 10, "seconds": 0.4}
    apart, mixed = CocktailParty(**few), CocktailParty(**few, mix=0.3)
    alone, both = apart.draw(trials_generator(0)).test, mixed.draw(trials_generator(0)).test
    np.testing.assert_array_equal(alone.image, both.image)
    read = apart.read
    own_voice = np.array([[loudness(read.samples[k], 16, 16, seconds=0.4) for k in pair] for pair in alone.image])
    np.testing.assert_allclose(apart._ears(read, alone.image), own_voice, atol=1e-9)
    between = np.abs(both.stimulus[:, 0] - both.stimulus[:, 1]).mean()
    assert between < np.abs(alone.stimulus[:, 0] - alone.stimulus[:, 1]).mean()  # ears are more alike
    with pytest.raises(WrongUse, match="mix"):
        CocktailParty(mix=0.5)


# ---- the data set


def test_the_publishers_archive_is_found_by_the_end_of_its_paths_whatever_its_top_folder_is_called(tmp_path, monkeypatch):
    monkeypatch.setenv("PLASTICITY_DATA", str(tmp_path))
    known = datasets.DATASETS["spoken_digits"]
    (tmp_path / "spoken_digits").mkdir()
    with zipfile.ZipFile(tmp_path / "spoken_digits" / "v1.0.10.zip", "w") as archive:
        for name in ("0_ann_0", "1_bob_0"):
            archive.writestr(f"free-spoken-digit-dataset-1.0.10/recordings/{name}.wav", wav(tone(440)))
        archive.writestr("free-spoken-digit-dataset-1.0.10/README.md", "not a recording")
    with pytest.raises(PlasticityError, match="2 files of 3000"):
        known()


@HERE
def test_spoken_digits_are_3000_recordings_of_six_speakers():
    read = SpokenDigits().read
    assert len(read.samples) == 3000 and read.names == tuple("0123456789") and len(read.voices) == 6
    assert (np.bincount(read.labels) == 300).all() and (np.bincount(read.speakers) == 500).all() and read.notes == ()
