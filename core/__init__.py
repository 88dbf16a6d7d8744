"""Pure logic of a session: values, ports, the trial state machine. No thread, no file; only clock.py asks the time."""
