"""From CloudEvents over HTTP to status codes and reply events."""
