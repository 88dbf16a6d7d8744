"""What trains pose models, but for the network: labels, blocks, images, target maps, and what is refused before."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import evaluate_pose_model, pose_training_net, train_pose_model
from analysis.pose_training_images import (
    Augmentation,
    augment,
    choose_resize,
    draw_centre,
    load_sized,
    read_image,
    resize_frame,
)
from analysis.pose_training_labels import GAP, read_folders, split_blocks
from analysis.pose_training_maps import make_maps, read_maps
from analysis.pose_training_report import as_json, common_points, measure_errors, table, video_images
from core.errors import InputError, MissingError, SourceError
from tests.conftest import ROOT

HEAD = "scorer,{0},{0},{0},{0}\nbodyparts,snout,snout,tail,tail\ncoords,x,y,x,y\n".format("me")
SPLIT_HEAD = "scorer,,,me,me,me,me\nbodyparts,,,snout,snout,tail,tail\ncoords,,,x,y,x,y\n"
SCRIPT = ROOT / "analysis" / "train_pose_model.py"


def write_folder(folder, csv, images=(), shape=(48, 64)):
    import cv2

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "CollectedData_me.csv").write_text(csv, encoding="utf-8")
    for number, name in enumerate(images):
        cv2.imwrite(str(folder / name), np.full((*shape, 3), 10 + number, np.uint8))
    return folder


def frames(count, cells="1,2,3,4"):
    return "".join(f"labeled-data/v/img{n:03}.png,{cells}\n" for n in range(count))


def names(count):
    return [f"img{n:03}.png" for n in range(count)]


class TestLabels:
    def test_one_column_of_paths(self, tmp_path):
        folder = write_folder(tmp_path / "v", HEAD + "labeled-data/v/a.png,1.5,2,3,4\nlabeled-data/v/b.png,5,6,,\n")
        labels = read_folders([folder])
        assert labels.parts == ("snout", "tail")
        assert labels.images == (folder / "a.png", folder / "b.png")
        np.testing.assert_array_equal(labels.points, [[[1.5, 2], [3, 4]], [[5, 6], [np.nan, np.nan]]])

    @pytest.mark.parametrize(
        "row", ["labeled-data,v,a.png,1,2,3,4", "x,y,labeled-data\\v\\a.png,1,2,3,4"], ids=["split", "windows"]
    )
    def test_three_columns_of_paths(self, tmp_path, row):
        labels = read_folders([write_folder(tmp_path / "v", f"{SPLIT_HEAD}{row}\n")])
        assert labels.images == (tmp_path / "v" / "a.png",)
        np.testing.assert_array_equal(labels.points, [[[1, 2], [3, 4]]])

    def test_half_a_label_is_none(self, tmp_path):
        labels = read_folders([write_folder(tmp_path / "v", HEAD + "a.png,1,,3,4\n")])
        assert np.isnan(labels.points[0, 0]).all()

    def test_a_byte_order_mark_and_empty_lines_do_not_matter(self, tmp_path):
        labels = read_folders([write_folder(tmp_path / "v", "\ufeff" + HEAD + "a.png,1,2,3,4\n\n,,,,\n")])
        assert len(labels) == 1

    def test_folders_and_files_are_one_set(self, tmp_path):
        one = write_folder(tmp_path / "one", HEAD + frames(2))
        two = write_folder(tmp_path / "two", HEAD + frames(3))
        labels = read_folders([one, two / "CollectedData_me.csv"])
        assert labels.videos == (0, 0, 1, 1, 1)
        assert [image.parent for image in labels.images] == [one] * 2 + [two] * 3

    def test_the_real_ones(self, shared_data):
        labels = read_folders([shared_data / "openfield" / "labeled-data" / "m4s1"])
        assert (labels.parts, len(labels)) == (("snout", "leftear", "rightear", "tailbase"), 116)
        hidden = read_folders([shared_data / "reaching" / "labeled-data" / "reachingvideo1"])
        assert np.isnan(hidden.points).any()
        assert all(image.is_file() for image in labels.images + hidden.images)

    @pytest.mark.parametrize(
        ("csv", "said"),
        [
            ("a,b\n", "not DeepLabCut's labels"),
            ("scorer,m,m\nindividuals,a,a\nbodyparts,s,s\ncoords,x,y\n", "several animals"),
            (HEAD.replace("x,y,x,y", "x,y,likelihood,x"), "not DeepLabCut's labels"),
            (HEAD.replace("snout,snout", "snout,tail"), "each name stands above its x and y"),
            (HEAD + "a.png,1,2,3\n", "has 3 coordinates, not 4"),
            (HEAD + "a.png,1,2,3,four\n", "'four' in the row of a.png is not a number"),
            (HEAD + "a.png,1,2,3,inf\n", "'inf' in the row of a.png is not a number"),
            (HEAD + "a.png,1,2,3,4\nb/a.png,1,2,3,4\n", "a.png has two rows"),
            (HEAD + ",1,2,3,4\n", "without the name of an image"),
            (HEAD + "a.png,,,,\n", "0 frames with a label"),
        ],
        ids=["other", "animals", "columns", "parts", "short", "word", "inf", "twice", "nameless", "empty"],
    )
    def test_what_is_refused(self, tmp_path, csv, said):
        with pytest.raises(InputError, match=r"(?s)^[^\n]*$") as error:
            read_folders([write_folder(tmp_path / "v", csv)], fewest=1)
        assert said in str(error.value)

    def test_which_csv_must_be_clear(self, tmp_path):
        with pytest.raises(InputError, match="no such folder"):
            read_folders([tmp_path / "nowhere"])
        with pytest.raises(InputError, match="no CSV of labels"):
            read_folders([tmp_path])
        folder = write_folder(tmp_path / "v", HEAD + frames(2))
        (folder / "CollectedData_you.csv").write_text(HEAD, encoding="utf-8")
        with pytest.raises(InputError, match=r"CollectedData_me\.csv, CollectedData_you\.csv"):
            read_folders([folder])

    def test_body_parts_must_agree(self, tmp_path):
        one = write_folder(tmp_path / "one", HEAD + frames(2))
        two = write_folder(tmp_path / "two", HEAD.replace("tail", "ear") + frames(2))
        with pytest.raises(InputError, match=r"two.*snout, ear, but .*one.*snout, tail"):
            read_folders([one, two])


class TestBlocks:
    @given(
        videos=st.lists(st.integers(1, 60), min_size=1, max_size=4),
        share=st.floats(0, 0.9),
        blocks=st.integers(1, 5),
        seed=st.integers(0, 99),
    )
    def test_held_out_frames_are_runs_of_neighbours_that_nothing_trained_on_touches(self, videos, share, blocks, seed):
        of_video = [video for video, count in enumerate(videos) for _ in range(count)]
        train, held = split_blocks(of_video, share, blocks, np.random.default_rng(seed))
        assert not set(train) & set(held)
        for one in held:
            near = {n for n in range(one - GAP, one + GAP + 1) if 0 <= n < len(of_video)}
            assert not {n for n in near if of_video[n] == of_video[one]} & set(train)
        for video, count in enumerate(videos):
            of_this = [n for n in held if of_video[n] == video]
            runs = sum(1 for n in of_this if n - 1 not in of_this)
            assert runs <= blocks
            assert abs(len(of_this) - share * count) <= 0.5 * blocks + 1e-6

    def test_nothing_is_held_out_where_all_is_trained_on(self):
        train, held = split_blocks([0] * 20, 0.0, 3, np.random.default_rng(1))
        assert (list(train), list(held)) == (list(range(20)), [])

    def test_the_same_seed_is_the_same_split(self):
        first, again, other = (split_blocks([0] * 116, 0.2, 3, np.random.default_rng(seed))[1] for seed in (1, 1, 2))
        assert list(first) == list(again) != list(other)


def spot(points, height, width):
    """Return an image that is dark but for a Gaussian at each point."""
    rows, columns = np.mgrid[:height, :width]
    light = sum(np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8) for x, y in points)
    return np.repeat(np.clip(200 * light, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def light_at(image):
    """Return the centre of the light in an image."""
    weight = image[:, :, 0].astype(float)
    weight -= np.median(weight)
    weight[weight < 20] = 0
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    return np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()


class TestImages:
    @given(
        seed=st.integers(0, 10_000),
        x=st.floats(20, 76),
        y=st.floats(20, 60),
        turn=st.sampled_from([0.0, 20.0, 180.0]),
        canvas=st.sampled_from([(96, 80), (64, 80), (64, 48)]),
    )
    def test_augmentation_keeps_labels_on_their_pixels(self, seed, x, y, turn, canvas):
        points = np.array([[x, y], [np.nan, np.nan]])
        image = spot(points[:1], 80, 96)
        changed, moved = augment(image, points, canvas, Augmentation(turn_deg=turn), np.random.default_rng(seed))
        assert (changed.shape, changed.dtype) == ((*canvas[::-1], 3), np.uint8)
        assert np.isnan(moved[1]).all()
        if np.isfinite(moved[0]).all() and (moved[0] > 10).all() and (moved[0] < np.array(canvas) - 11).all():
            assert np.linalg.norm(light_at(changed) - moved[0]) < 0.5

    def test_labels_that_leave_the_image_are_not_known(self):
        far = Augmentation(turn_deg=0, scale=0, shift=0.99)
        rng = np.random.default_rng(3)
        seen = [augment(spot([(2, 2)], 40, 40), np.array([[2.0, 2.0]]), (40, 40), far, rng)[1] for _ in range(40)]
        known = [point for [point] in seen if np.isfinite(point).all()]
        assert 0 < len(known) < 40
        assert all((point > -0.5).all() and (point < 39.5).all() for point in known)

    def test_light_and_its_bounds(self):
        still = Augmentation(turn_deg=0, scale=0, shift=0)
        grey = np.full((32, 32, 3), 100, np.uint8)
        nowhere, seeds = np.full((1, 2), np.nan), map(np.random.default_rng, range(200))
        levels = {int(augment(grey, nowhere, (32, 32), still, rng)[0][0, 0, 0]) for rng in seeds}
        assert 45 <= min(levels) < 60
        assert 135 < max(levels) <= 155

    @given(st.integers(0, 999), st.floats(0, 99), st.floats(0, 79))
    def test_the_part_that_is_learnt_from_lies_in_the_image(self, seed, x, y):
        rng = np.random.default_rng(seed)
        low = draw_centre(np.array([[x, y]]), (100, 80), (60, 50), rng) - (29.5, 24.5)
        assert (low >= 0).all()
        assert (low <= (40, 30)).all()
        whole = draw_centre(np.array([[x, y]]), (100, 80), (100, 80), rng)
        assert whole.tolist() == [49.5, 39.5]

    @pytest.mark.parametrize(
        ("original", "size", "factor"),
        [
            ((640, 480), None, 0.5),
            ((320, 240), None, 1.0),
            ((160, 120), None, 1.0),
            ((1440, 1080), None, 0.125),
            ((640, 480), (320, 240), 0.5),
            ((640, 480), (160, 120), 0.25),
            ((832, 747), (208, 187), 0.25),
        ],
    )
    def test_sizes(self, original, size, factor):
        assert choose_resize(original, size) == factor

    @pytest.mark.parametrize(
        ("size", "said"),
        [((320, 200), "a size of their shape is 320x240"), ((1280, 960), "no size is larger"), ((24, 18), "32 px")],
    )
    def test_sizes_that_are_refused(self, size, said):
        with pytest.raises(InputError, match=said):
            choose_resize((640, 480), size)

    def test_points_follow_the_size(self, tmp_path):
        import cv2

        folder = write_folder(tmp_path / "v", HEAD + "a.png,41,31,99,99\n")
        cv2.imwrite(str(folder / "a.png"), spot([(41, 31)], 64, 96))
        sized = load_sized(read_folders([folder]), (48, 32))
        assert (sized.resize, sized.original, sized.images.shape, sized.outside) == (0.5, (96, 64), (1, 32, 48, 3), 1)
        assert np.linalg.norm(light_at(sized.images[0]) - sized.points[0, 0]) < 0.1
        assert np.isnan(sized.points[0, 1]).all()

    def test_colours_are_those_that_a_model_sees(self, tmp_path):
        import cv2

        folder = write_folder(tmp_path / "v", HEAD + "a.png,1,2,3,4\n")
        cv2.imwrite(str(folder / "a.png"), np.full((32, 32, 3), (250, 0, 9), np.uint8))
        assert load_sized(read_folders([folder]), None).images[0, 0, 0].tolist() == [9, 0, 250]

    def test_images_that_cannot_be_used(self, tmp_path):
        folder = write_folder(tmp_path / "v", HEAD + frames(2), names(1))
        with pytest.raises(InputError, match=r"img001\.png: is missing"):
            load_sized(read_folders([folder]), None)
        (folder / "img001.png").write_text("no image", encoding="utf-8")
        with pytest.raises(InputError, match=r"img001\.png: is no image"):
            load_sized(read_folders([folder]), None)
        write_folder(tmp_path / "other", HEAD, ["img001.png"], (96, 128))
        (tmp_path / "other" / "img001.png").rename(folder / "img001.png")
        with pytest.raises(InputError, match=r"128x96, but .* is 64x48"):
            load_sized(read_folders([folder]), None)

    def test_a_frame_is_resized_as_dlclive_does(self):
        image = spot([(20, 30)], 47, 63)
        assert resize_frame(image, 0.5).shape == (23, 31, 3)
        assert resize_frame(image, 1.0) is image


class TestMaps:
    @given(
        st.lists(st.tuples(st.floats(-0.5, 319.5), st.floats(-0.5, 239.5)), min_size=1, max_size=5),
    )
    def test_they_invert_to_the_labels(self, points):
        labels = np.array(points)
        maps = make_maps(labels, 31, 41, 8)
        np.testing.assert_allclose(read_maps(maps.heat, maps.offset, 8), labels, atol=1e-3)
        best = maps.heat.reshape(len(labels), -1).argmax(1)
        assert (maps.heat.max((1, 2)) == 1).all()
        assert (maps.near[::2].reshape(len(labels), -1)[np.arange(len(labels)), best] == 1).all()

    def test_a_part_that_is_not_seen_is_nowhere(self):
        maps = make_maps(np.array([[np.nan, np.nan], [20.0, 20.0]]), 8, 8, 8)
        assert not maps.heat[0].any()
        assert not maps.near[:2].any()
        assert maps.near[2:].any()
        assert all(np.isfinite(part).all() for part in maps)

    @given(st.floats(0, 1))
    def test_the_step_size_rises_and_falls(self, done):
        at = pose_training_net.step_size_at
        assert 0 <= at(done) <= 1
        assert at(0.1) == pytest.approx(1)
        assert at(1.0) == pytest.approx(0)


class TestReport:
    POINTS = np.array([[[0.0, 0], [np.nan, np.nan]], [[10, 0], [5, 5]], [[0, 10], [np.nan, np.nan]]])
    POSES = np.array([[[0, 3, 0.9], [0, 0, 0.1]], [[14, 3, 0.8], [5, 7, 0.7]], [[0, 10, 0.7], [0, 0, 0.1]]])

    def test_errors_are_over_labelled_frames(self):
        snout, tail, both = measure_errors(("snout", "tail"), self.POINTS, self.POSES)
        assert (snout.labels, snout.median_px, snout.likelihood) == (3, 3.0, 0.8)
        assert (tail.labels, tail.median_px, tail.p90_px) == (1, 2.0, 2.0)
        assert (both.part, both.labels, both.median_px) == ("all", 4, 2.5)

    def test_a_part_that_is_never_labelled(self):
        errors = measure_errors(("a",), np.full((2, 1, 2), np.nan), np.zeros((2, 1, 3)))
        assert as_json(errors)["a"] == {"labels": 0, "median_px": None, "p90_px": None, "likelihood": None}
        assert json.loads(json.dumps(as_json(errors))) == as_json(errors)
        assert len(table(errors).splitlines()) == 3

    def test_labels_in_the_order_of_the_model(self, tmp_path):
        labels = read_folders([write_folder(tmp_path / "v", HEAD + "a.png,1,2,3,4\n")])
        points = common_points(labels, ("tail", "paw", "snout"))
        np.testing.assert_array_equal(points, [[[3, 4], [np.nan, np.nan], [1, 2]]])
        with pytest.raises(InputError, match="not tail of the labels"):
            common_points(labels, ("snout", "paw"))

    def test_frames_of_a_video_by_number(self, tmp_path):
        import cv2

        video = tmp_path / "v.avi"
        writer = cv2.VideoWriter(str(video), cv2.VideoWriter_fourcc(*"MJPG"), 30, (64, 48))
        for level in range(0, 200, 20):
            writer.write(np.full((48, 64, 3), level, np.uint8))
        writer.release()
        labels = read_folders([write_folder(tmp_path / "v", HEAD + "img2.png,1,2,3,4\nimg0007.png,1,2,3,4\n")])
        assert [round(float(image.mean()) / 20) for image in video_images(video, labels)] == [2, 7]
        late = read_folders([write_folder(tmp_path / "w", HEAD + "img12.png,1,2,3,4\n")])
        with pytest.raises(SourceError, match="up to frame 12"):
            list(video_images(video, late))
        unordered = read_folders([write_folder(tmp_path / "x", HEAD + "img9.png,1,2,3,4\nimg3.png,1,2,3,4\n")])
        with pytest.raises(InputError, match="not in ascending order"):
            list(video_images(video, unordered))
        nameless = read_folders([write_folder(tmp_path / "y", HEAD + "img.png,1,2,3,4\n")])
        with pytest.raises(InputError, match="no frame number"):
            list(video_images(video, nameless))

    def test_our_labels_of_the_other_mouse(self, shared_data):
        labels = read_folders([ROOT / "tests" / "data" / "m3v1_labels.csv"])
        assert (labels.parts, len(labels)) == (("snout", "leftear", "rightear", "tailbase"), 30)
        images = list(video_images(shared_data / "openfield" / "m3v1mp4.mp4", labels))
        # The mouse is black and each snout is its tip.
        for image, points in zip(images, labels.points, strict=True):
            x, y = points[0].round().astype(int)
            assert image[max(0, y - 5) : y + 6, max(0, x - 5) : x + 6].min() < 80


class TestCommand:
    """What is refused; what trains is in tests/realtime/test_train_pose.py."""

    @pytest.fixture
    def folder(self, tmp_path):
        return write_folder(tmp_path / "v", HEAD + frames(12), names(12))

    def run(self, capsys, *argv):
        try:
            code = train_pose_model.main([str(argument) for argument in argv])
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        return code, err

    def test_without_torch_it_says_what_to_install(self, capsys, folder, tmp_path, monkeypatch):
        monkeypatch.setattr(pose_training_net.importlib.util, "find_spec", lambda name: None)
        code, said = self.run(capsys, folder, "--output", tmp_path / "m.pt")
        assert (code, MissingError.exit_code) == (3, 3)
        assert "torch" in said
        assert "make pose" in said

    def test_outputs_that_are_refused(self, capsys, folder, tmp_path):
        (tmp_path / "m.pt").touch()
        code, said = self.run(capsys, folder, "--output", tmp_path / "m.pt")
        assert (code, "exists" in said) == (2, True)
        code, said = self.run(capsys, folder, "--output", tmp_path / "no" / "m.pt")
        assert (code, "no such folder" in said) == (2, True)

    def test_too_few_frames(self, capsys, tmp_path):
        few = write_folder(tmp_path / "few", HEAD + frames(9))
        code, said = self.run(capsys, few, "--output", tmp_path / "m.pt")
        assert code == 2
        assert "9 frames with a label" in said

    @pytest.mark.parametrize(
        "wrong",
        [
            ("--minutes", "0"),
            ("--minutes", "soon"),
            ("--size", "320"),
            ("--size", "0x10"),
            ("--hold-out", "1"),
            ("--batch", "1"),
            ("--turn", "200"),
            ("--seed", "-1"),
            ("--steps", "5", "--minutes", "1"),
            ("--all", "--hold-out", "0.1"),
            ("--precision", "fp8"),
        ],
        ids=" ".join,
    )
    def test_options_that_are_refused(self, capsys, folder, tmp_path, wrong):
        code, said = self.run(capsys, folder, "--output", tmp_path / "m.pt", *wrong)
        assert code == 2
        assert said.startswith("train_pose_model.py: ")

    def test_a_time_budget_ends_before_a_step_that_would_end_too_late(self):
        now = [0.0]
        args = train_pose_model.make_parser().parse_args(["x", "--output", "m.pt", "--minutes", "1"])
        done = train_pose_model.budget(args, lambda: now[0])
        assert done(0) == 0
        now[0] = 20.0
        assert done(1) == pytest.approx(1 / 3)
        now[0] = 39.0
        assert done(2) == pytest.approx(39 / 60)
        now[0] = 41.0
        assert done(3) == 1

    def test_a_number_of_steps(self):
        args = train_pose_model.make_parser().parse_args(["x", "--output", "m.pt", "--steps", "8"])
        assert [train_pose_model.budget(args, lambda: 1e9)(steps) for steps in (0, 2, 8)] == [0, 0.25, 1]

    def test_it_is_a_script_of_its_own(self, tmp_path):
        for script in (train_pose_model, evaluate_pose_model):
            done = subprocess.run([sys.executable, script.__file__, "--help"], cwd=tmp_path, capture_output=True)
            assert done.returncode == 0, done.stderr
        done = subprocess.run(
            [sys.executable, str(SCRIPT), "nowhere", "--output", "m.pt"], cwd=tmp_path, capture_output=True, text=True
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("nowhere: no such folder")

    def test_a_model_to_evaluate_must_know_what_was_held_out(self, tmp_path, monkeypatch):
        labels = read_folders([write_folder(tmp_path / "v", HEAD + frames(3))])
        config = {"rigloop": {"held_out": ["v/img001.png"]}}
        monkeypatch.setattr(evaluate_pose_model, "read_config", lambda model: config)
        assert evaluate_pose_model.held_out_of("m.pt", labels).images == (tmp_path / "v" / "img001.png",)
        config["rigloop"]["held_out"] = ["w/img001.png"]
        with pytest.raises(InputError, match="names none of these frames"):
            evaluate_pose_model.held_out_of("m.pt", labels)


def test_an_image_is_bgr(tmp_path):
    import cv2

    cv2.imwrite(str(tmp_path / "a.png"), np.full((4, 4, 3), (1, 2, 3), np.uint8))
    assert read_image(tmp_path / "a.png")[0, 0].tolist() == [1, 2, 3]
