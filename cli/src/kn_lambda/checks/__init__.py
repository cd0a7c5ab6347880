"""The checks of `kn-lambda doctor`."""
