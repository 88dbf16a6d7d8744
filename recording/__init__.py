"""Session folders: written by a process of its own while a session runs, read, and given out as CLoPy's."""
