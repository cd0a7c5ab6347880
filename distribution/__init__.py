"""What people install: one wheel, and the sdist that it is built from."""
