"""Labels of the images that builds make."""

RUNTIME_LABEL = "dev.knative-lambda.runtime"
