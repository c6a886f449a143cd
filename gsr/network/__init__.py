"""The parts of a network, on tensors alone: kernels, classifier, encoders, splat, decoder."""
