"""The page beside the rig: a process of its own, which shows running sessions and takes what a person asks for."""
