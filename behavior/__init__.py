"""Movement feedback: poses of a mouse, the movement of one body part, and the experiments on it."""
