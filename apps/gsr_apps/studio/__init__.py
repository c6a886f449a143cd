"""The studio: a web page to open a picture, zoom into it and look at its Gaussians."""
