"""CloudEvents over HTTP in, status codes and reply events out."""
