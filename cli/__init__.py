"""The command line: parses words, calls the layers below, prints what they say. No logic of a session lives here."""
