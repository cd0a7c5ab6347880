import os

from cloudevents.http import CloudEvent


async def handler(event):
    """Confirm a priced order to its customer; order-pricer sends the events this one takes."""
    order = event.data
    text = f"Dear {order['customer']}, your order {order['order']} costs {order['total']} {order['currency']}."
    print(text)
    attributes = {
        "type": "com.example.order.confirmed",
        "source": "/examples/order-confirmation",
        "id": f"confirmation-of-{event['id']}",
    }
    return CloudEvent(
        attributes, {"order": order["order"], "text": f"{text} {os.environ['SIGNATURE']}"}
    )
