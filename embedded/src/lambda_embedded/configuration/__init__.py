"""What the platform is told to run: manifests, read as `kubectl apply -k` reads them."""
