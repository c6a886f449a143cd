"""Data sets by name: what is known of them, what of them is on the disk, and how to get them."""

from gsr.tasks.datasets.registry import DATASETS, Dataset, Part, RemoteFile, find

__all__ = ["DATASETS", "Dataset", "Part", "RemoteFile", "find"]
