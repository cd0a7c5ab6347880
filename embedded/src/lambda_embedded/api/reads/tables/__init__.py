"""Objects as tables: what `kubectl get` shows, made by the server."""
