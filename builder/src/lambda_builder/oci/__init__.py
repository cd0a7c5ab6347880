"""Images of the Open Container Initiative: layers, manifests, layouts in folders, registries."""
