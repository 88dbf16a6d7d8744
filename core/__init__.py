"""Pure logic of a session: values, ports and the trial state machine. No thread and no file; only clock.py asks the time."""
