"""Parts of Knative Eventing that the API, the Broker and the event sources share."""
