"""The whole of Knative Lambda on one machine, without a cluster."""
