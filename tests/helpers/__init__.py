"""What several test files make alike."""
