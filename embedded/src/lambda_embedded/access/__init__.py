"""Who may use the platform's ports: by the name that was asked for, by the page, by the token."""
