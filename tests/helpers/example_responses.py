"""What the READMEs of examples/ promise of an answer to their event."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.helpers.http_client import Answer

# Folder -> type of the answer and what its data holds; None where there is no answer.
PROMISES: dict[str, tuple[str, dict[str, object]] | None] = {
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


def assert_kept(example: str, answer: Answer) -> None:
    """Hold an answer to the event of an example's folder against its promise."""
    promise = PROMISES[example]
    if promise is None:
        assert (answer.status, answer.body) == (204, b"")
        return
    reply_type, data = promise
    assert answer.status == 200, answer
    assert answer.attributes["type"] == reply_type
    assert answer.attributes["lambdafunction"] == f"default/{example}"
    assert data.items() <= answer.data.items()
