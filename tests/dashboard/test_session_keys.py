"""Keys of sessions in the page's addresses: each leads to its folder, and nothing leads out of a data root."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.session_keys import NoSuchThingError, find_session, inside, root_name, session_key
from tests.support.recorded_folders import DATE, put_clopy_movement, put_session
from tests.support.recorded_folders import root as root

PATH = f"M1/{DATE}/S1"


def test_a_key_leads_to_its_session_whatever_else_there_is(root, tmp_path):
    other = tmp_path / "other"
    for folder in (root, other):
        put_session(folder, "M1", DATE)
        put_session(folder, "two words%2f?", DATE, part=12)
    put_clopy_movement(root, "C2", DATE)
    roots = [root, other]
    for where in roots:
        for path in (PATH, f"two words%2f?/{DATE}/S12"):
            assert find_session(roots, session_key(where, path)) == (where, path)
    assert find_session(roots, session_key(root, f"C2/{DATE}")) == (root, f"C2/{DATE}")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "..",
        "M1",
        f"M1/{DATE}/..",
        f"M1/{DATE}/S1/..",
        f"M1/{DATE}/S1/",
        f"M1/{DATE}/S1\n",
        f"M1/{DATE}/S1/session.json",
        f"M1/{DATE}/S1/../S1",
        f"M1/../M1/{DATE}/S1",
        f"../data/M1/{DATE}/S1",
        f"../{DATE}/S1",
        f"./{DATE}/S1",
        f".M1/{DATE}/S1",
        f"/M1/{DATE}/S1",
        f"//{DATE}/S1",
        f"M1\0/{DATE}/S1",
        f"M2/{DATE}/S1",
        f"M1/{DATE}/S2",
        f"{'M' * 5000}/{DATE}/S1",
        f"M1/{DATE}/S{'1' * 5000}",
    ],
)
def test_what_is_no_session_of_the_root_is_refused(root, path):
    put_session(root, "M1", DATE)
    put_session(root, ".M1", DATE)
    put_session(root.parent, ".", DATE)
    with pytest.raises(NoSuchThingError):
        find_session([root], session_key(root, path))


def test_another_folder_is_no_data_root_of_this_page(root, tmp_path):
    put_session(root, "M1", DATE)
    put_session(tmp_path / "other", "M1", DATE)
    for name in (root_name(tmp_path / "other"), root_name(root).upper(), root_name(root)[:11], "", str(root)):
        with pytest.raises(NoSuchThingError):
            find_session([root], f"{name}/{PATH}")
    with pytest.raises(NoSuchThingError):
        find_session([], session_key(root, PATH))


def test_a_link_that_leads_out_is_refused_with_what_to_do(root, tmp_path):
    put_session(tmp_path / "elsewhere", "M1", DATE)
    (root / "M1").symlink_to(tmp_path / "elsewhere" / "M1")
    with pytest.raises(NoSuchThingError, match=r"S1 is a link that leads out of .*data; put the files themselves"):
        find_session([root], session_key(root, PATH))


def test_a_link_that_stays_inside_is_followed(root):
    put_session(root, "M2", DATE)
    (root / "M1").symlink_to(root / "M2")
    assert find_session([root], session_key(root, PATH)) == (root, PATH)


def test_a_root_that_is_a_link_itself_is_one(root, tmp_path):
    put_session(root, "M1", DATE)
    link = tmp_path / "link"
    link.symlink_to(root)
    assert find_session([link], session_key(link, PATH)) == (link, PATH)


@pytest.mark.parametrize("target", ["secret", "loop", "gone"])
def test_a_file_that_is_a_link_out_is_not_given(root, tmp_path, target):
    folder = put_session(root, "M1", DATE)
    (tmp_path / "secret").write_text("x")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (folder / "session.png").symlink_to(tmp_path / target)
    with pytest.raises(NoSuchThingError):
        inside(folder, folder / "session.png")


@pytest.fixture(scope="module")
def one_root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    put_session(folder, "M1", DATE)
    put_session(folder.parent, "outside", DATE)
    return folder


parts = st.sampled_from(["M1", "outside", "..", ".", "", DATE, "S1", "S2", "%2e%2e", "\0", "~", "\\", "é"]) | st.text()


@given(st.lists(parts, max_size=7).map("/".join), st.booleans())
def test_no_key_leads_out(one_root, text, named):
    key = f"{root_name(one_root)}/{text}" if named else text
    try:
        root, path = find_session([one_root], key)
    except NoSuchThingError:
        return
    # The folder of a date may be a session itself: one of CLoPy's.
    assert (root, path) in ((one_root, PATH), (one_root, f"M1/{DATE}"))
