def handler(request):
    """Answer one HTTP request of any method and path; `request` is Flask's.

    Return what a view of Flask returns: text, a dict, or (body, status, headers). In place of this
    function, `handler` may also be a whole ASGI or WSGI application.
    """
    name = request.args.get("name", "World")
    return {"message": f"Hello, {name}!"}
