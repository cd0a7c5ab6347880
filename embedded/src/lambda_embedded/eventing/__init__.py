"""Parts of Knative Eventing's specification that both the API and the Broker read."""
