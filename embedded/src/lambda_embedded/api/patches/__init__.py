"""Server-side apply, who owns which fields, and the other patches of Kubernetes."""
