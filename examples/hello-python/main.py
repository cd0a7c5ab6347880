def handler(event):
    """Greet whoever the event names; the platform sends the result on as an event."""
    name = (event.data or {}).get("name", "World")
    print(f"Greeting {name} for event {event['id']}")
    return {"message": f"Hello, {name}!"}
