"""Python reads this first in every program that a test of the page starts, and in what such a program starts.

They meet in a folder of the test's own, so that no page finds the sessions that run on this machine meanwhile: one has
room for a few pages only, and a rig's own are no test's business.
"""

import os
from pathlib import Path

if folder := os.environ.get("RIGLOOP_TEST_LOCKS"):
    from recording import lock_file

    lock_file.SHARED_FOLDERS = (Path(folder),)
