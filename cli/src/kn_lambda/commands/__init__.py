"""One module per command, which defines `command`."""
