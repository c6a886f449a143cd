"""Bounds that several layers share."""

MAX_SIDE = 2**30
"""Pixels along one side of a result: more than any that can be rendered."""
