"""Services, their revisions and their status, as Knative's controllers keep them."""
