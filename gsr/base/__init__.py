"""What every other layer stands on: errors, coordinates, files, progress. No torch models."""
