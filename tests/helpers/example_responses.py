"""The responses that the READMEs of examples/ document."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.helpers.http_client import Answer

# Folder -> type of the response and members of its data; None where there is no reply.
RESPONSES: dict[str, tuple[str, dict[str, object]] | None] = {
    "hello-python": ("com.example.greeting.requested.reply", {"message": "Hello, Ada!"}),
    "order-pricer": (
        "com.example.order.priced",
        {
            "order": "1001",
            "customer": "Ada",
            "total": "49.50",
            "currency": "EUR",
            "deliveryDay": "2026-01-19",  # the second working day after a Thursday
        },
    ),
    "order-confirmation": (
        "com.example.order.confirmed",
        {
            "order": "1001",
            "text": "Dear Ada, your order 1001 costs 49.50 EUR. The tea shop",
        },
    ),
    "functions-framework-sample": None,
    "hello-node": (
        "com.example.visit.greeted",
        {"message": "Hello, Ada!", "staySeconds": 7200},
    ),
}


def assert_as_documented(example: str, answer: Answer) -> None:
    """Compare the response to an example's event with its README."""
    documented = RESPONSES[example]
    if documented is None:
        assert (answer.status, answer.body) == (204, b"")
        return
    reply_type, data = documented
    assert answer.status == 200, answer
    assert answer.attributes["type"] == reply_type
    assert answer.attributes["lambdafunction"] == f"default/{example}"
    assert data.items() <= answer.data.items()
