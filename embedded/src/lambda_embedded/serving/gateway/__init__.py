"""The proxy in front of all lambdas, like Knative's activator."""
