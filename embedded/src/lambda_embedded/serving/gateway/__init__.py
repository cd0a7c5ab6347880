"""The way in to all lambdas, as Knative's activator is."""
