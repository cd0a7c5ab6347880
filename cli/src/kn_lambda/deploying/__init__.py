"""A deployment: from a folder with source code to a function that is ready."""
