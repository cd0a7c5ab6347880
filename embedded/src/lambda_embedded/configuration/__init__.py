"""What the platform is told to run: the manifests of `config/`, as `kubectl apply -k` reads them."""
