"""Widefield imaging: a camera frame becomes dF/F of cortical regions, and a rule over them the signal."""
