"""Event sources: the Kubernetes API (ApiServerSource) and the clock (PingSource)."""
