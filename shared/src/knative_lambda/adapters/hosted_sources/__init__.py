"""Sources on hosts that the operator allows."""

from knative_lambda.adapters.hosted_sources.sources import NetworkSources

__all__ = ["NetworkSources"]
