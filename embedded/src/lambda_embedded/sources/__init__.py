"""Where events come from without anybody sending them: the Kubernetes API and the clock."""
