"""The schemas of custom resources, and what kube-apiserver does with them."""
