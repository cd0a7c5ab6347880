"""The embedded platform as a process: start it, await it, stop it."""
