"""Options that belong together and that several commands have."""
