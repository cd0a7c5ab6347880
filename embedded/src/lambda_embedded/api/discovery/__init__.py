"""What the API says about itself: groups, OpenAPI, permissions, and what it does not serve."""
