"""What the platform runs: manifests, read as `kubectl apply -k` reads them."""
