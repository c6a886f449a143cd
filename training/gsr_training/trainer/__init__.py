"""What a run is made of: recipe, data, losses, loop, checkpoint."""
