"""Networks to copy and to edit: ``network = insilico/networks/NAME.py:build`` puts one in the mouse's place."""
