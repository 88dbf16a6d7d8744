"""The storage formats that are compared: what they keep, and what is made of the figures."""

import numpy as np
import pytest

from bench.bench_storage import HEADERS, Figures, markdown, mean_error, measure, row, told
from bench.storage_formats import FORMATS, OUR_VIDEO, OURS, RAW_SUFFIX, begin, raw_index, reading, size_of
from bench.storage_kill import Killed, count_readable
from bench.storage_material import BRAIN, noisy, wide_brain

BY_NAME = {kind.name: kind for kind in FORMATS}


def images_of(dtype, count=5, seed=0):
    rng = np.random.default_rng(seed)
    return list(rng.integers(0, np.iinfo(dtype).max, (count, 16, 24, 3), dtype))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("name", [kind.name for kind in FORMATS if kind.wide])
def test_lossless_formats_give_back_every_value(tmp_path, name, dtype):
    kind = BY_NAME[name]
    images = images_of(dtype)
    figures = measure(kind, images, tmp_path / f"images{kind.suffix}", 3)
    assert figures.error == 0
    assert figures.kb > 0


def test_h264_does_not_and_takes_no_wide_images(tmp_path):
    assert measure(BY_NAME[OUR_VIDEO], images_of(np.uint8), tmp_path / "images.mkv", 1).error > 0
    assert not BY_NAME[OUR_VIDEO].wide


@pytest.mark.parametrize("cut", [lambda path: path, raw_index], ids=["pixels", "entry"])
def test_half_an_image_is_none(tmp_path, cut):
    path = tmp_path / f"images{RAW_SUFFIX}"
    writer = begin(BY_NAME["raw file and index"], path, images_of(np.uint8)[0])
    for k, image in enumerate(images_of(np.uint8)):
        writer.append(image, k)
    writer.close()
    assert size_of(path) == path.stat().st_size + raw_index(path).stat().st_size
    file = cut(path)
    file.write_bytes(file.read_bytes()[:-1])
    assert count_readable(path) == 4
    with reading(path) as images:
        assert np.array_equal(images[3], images_of(np.uint8)[3])


def test_a_file_that_cannot_be_opened_holds_nothing(tmp_path):
    path = tmp_path / "images.hdf5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(500))
    assert count_readable(path) == 0


def test_an_error_is_0_only_where_all_is_the_same():
    images = images_of(np.uint16)
    other = [image.copy() for image in images]
    assert mean_error(other, images) == 0
    other[3][2, 2, 2] ^= 1
    assert 0 < mean_error(other, images) < 1e-3


@pytest.mark.parametrize(
    ("left", "words"),
    [
        ((), ("", "", "")),
        ((Killed(100, 50, 60), Killed(100, 50, 101), Killed(100, 50, 98)), ("2 (40)", "0 of 3", "no")),
        ((Killed(100, 50, 0), Killed(100, 50, 0)), ("all", "2 of 2", "yes")),
        # Killed before the first flush: nothing is there, and no tool could bring it back.
        ((Killed(20, 0, 0), Killed(100, 50, 80)), ("20 (20)", "0 of 2", "no")),
    ],
    ids=["not killed", "readable", "shut", "before the first flush"],
)
def test_what_kills_left_in_words(left, words):
    assert told(left) == words


def test_the_table_is_markdown_and_the_choice_is_bold():
    figures = Figures(148.4, 1682.0, 0.61, 60.0, 15.0, 0.0)
    lines = markdown([row(f"{BRAIN}, uint8", OURS, figures, ()), row("mouse", OUR_VIDEO, figures, ())]).splitlines()
    assert {line.count("|") for line in lines} == {len(HEADERS) + 1}
    assert f"| **{OURS}** | 148 | 1682 | 0.6 |" in lines[2]
    assert f"| **{OUR_VIDEO}** |" in lines[3]
    assert "**" not in row("mouse", OURS, figures, ())[1]


def test_the_noise_is_that_of_a_camera():
    grey = [np.full((40, 60, 3), 128, np.uint8)] * 3
    assert np.std(noisy(grey)) == pytest.approx(3.0, rel=0.05)
    one, other = wide_brain(2)
    assert one.dtype == np.uint16
    assert one.max() < 2**12
    assert np.std(one.astype(float) - other) == pytest.approx(24 * 2**0.5, rel=0.05)
