"""Training and measuring; imports `gsr`, never `apps`."""
