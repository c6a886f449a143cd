"""Measuring continuous images on benchmark sets, under protocols that are named and printed."""
