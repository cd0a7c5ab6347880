"""Makes the images of the control plane, the builder and the runtimes; see docs/decisions/0008."""
