"""A session: settings from config.ini, the parts built from them, the loop, and the runner that starts and ends it."""
