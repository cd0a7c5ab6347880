"""How events come in: over HTTP, from event sources, and as replies."""
