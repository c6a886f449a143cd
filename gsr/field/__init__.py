"""The noun: a `GaussianField`, what it answers, its edits and its file."""

from gsr.field.field import FIELD_TYPES, GaussianField

__all__ = ["FIELD_TYPES", "GaussianField"]
