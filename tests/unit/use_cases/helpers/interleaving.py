"""Actions that happen between two calls of a port."""

from __future__ import annotations


def once_before(port, method, action):
    """Let something happen before the next call of a method, and only then."""
    original = getattr(port, method)

    def call(*arguments, **options):
        setattr(port, method, original)
        action()
        return original(*arguments, **options)

    setattr(port, method, call)


def once_after(port, method, action):
    """Let something happen after the next call of a method, and only then."""
    original = getattr(port, method)

    def call(*arguments, **options):
        setattr(port, method, original)
        result = original(*arguments, **options)
        action()
        return result

    setattr(port, method, call)
