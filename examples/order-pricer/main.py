"""Prices an order: one event in, another event out."""

from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import orjson
import yaml
from cloudevents.http import CloudEvent
from jinja2 import Environment, FileSystemLoader
from pydantic import ValidationError

from delivery import delivery_day
from orders import Order, PricedOrder, price

HERE = Path(__file__).parent
PRICES = yaml.safe_load((HERE / "prices.yaml").read_text())
RECEIPT = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=False, trim_blocks=True
).get_template("receipt.txt")


def handler(event):
    try:
        priced = price(Order.model_validate(event.data), PRICES)
    except (ValidationError, LookupError) as error:
        return reply(event, "com.example.order.refused", {"reason": str(error)})
    return reply(event, "com.example.order.priced", answer(priced))


def answer(priced: PricedOrder) -> dict:
    due = delivery_day(priced.order.placed_at)
    return {
        "order": priced.order.number,
        "customer": priced.order.customer,
        "total": str(priced.total),
        "currency": PRICES["currency"],
        "deliveryDay": due,
        "receipt": RECEIPT.render(priced=priced, currency=PRICES["currency"], due=due),
    }


def reply(event, event_type: str, data: dict) -> CloudEvent:
    attributes = {
        "type": event_type,
        "source": "/examples/order-pricer",
        # Derived, not random: an event that is delivered twice gets the same answer twice.
        "id": str(uuid5(NAMESPACE_URL, f"{event['source']} {event['id']} {event_type}")),
        "datacontenttype": "application/json",
    }
    return CloudEvent(attributes, orjson.dumps(data))
