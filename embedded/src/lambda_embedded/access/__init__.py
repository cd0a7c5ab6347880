"""Who may use the platform's ports: by Host header, by origin, by token."""
