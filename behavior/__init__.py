"""Movement feedback: the settings of an experiment on the speed of a body part."""
