"""Folders of labelled frames as DeepLabCut makes them, of a snout and a tail."""

import numpy as np

HEAD = "scorer,{0},{0},{0},{0}\nbodyparts,snout,snout,tail,tail\ncoords,x,y,x,y\n".format("me")
SPLIT_HEAD = "scorer,,,me,me,me,me\nbodyparts,,,snout,snout,tail,tail\ncoords,,,x,y,x,y\n"


def write_folder(folder, csv, images=(), shape=(48, 64)):
    """Make a folder of labels, and of images whose size is (height, width); return it."""
    import cv2

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "CollectedData_me.csv").write_text(csv, encoding="utf-8")
    for number, name in enumerate(images):
        cv2.imwrite(str(folder / name), np.full((*shape, 3), 10 + number, np.uint8))
    return folder


def frames(count, cells="1,2,3,4"):
    """Return rows of a CSV."""
    return "".join(f"labeled-data/v/img{n:03}.png,{cells}\n" for n in range(count))


def names(count):
    """Return the names of their images."""
    return [f"img{n:03}.png" for n in range(count)]
