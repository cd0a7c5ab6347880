import functions_framework

from cloudevents.http.event import CloudEvent


@functions_framework.cloud_event
def hello_cloud_event(cloud_event: CloudEvent) -> None:
    print(f"Received event with ID: {cloud_event['id']} and data {cloud_event.data}")


@functions_framework.http
def hello_http(request):
    name = request.args.get("name", "World")
    return f"Hello {name}!\n"
