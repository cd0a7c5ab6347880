"""Images, registries and archives: one client for the control plane, builds and our own images."""
