"""Bodies of requests: JSON, YAML and protobuf."""
