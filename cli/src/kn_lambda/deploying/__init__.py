"""From a folder with source code to a function that answers."""
