"""The methods that GaussianSR is compared with, each a continuous image behind one protocol."""
