def handler(event):
    """Handle one CloudEvent.

    `event["type"]` and the like are its attributes, `event.data` is its data. Return data, a
    CloudEvent of your own, or None for nothing to say.
    """
    name = (event.data or {}).get("name", "World")
    return {"message": f"Hello, {name}!"}
