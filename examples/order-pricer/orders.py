from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, Field


class Item(BaseModel):
    sku: str
    quantity: int = Field(ge=1, le=1000)


class Order(BaseModel):
    number: str
    customer: str
    placed_at: datetime = Field(alias="placedAt")
    items: list[Item] = Field(min_length=1)


class Line(BaseModel):
    item: Item
    amount: Decimal


class PricedOrder(BaseModel):
    order: Order
    lines: list[Line]
    total: Decimal


def price(order: Order, prices: dict) -> PricedOrder:
    lines = [
        Line(item=item, amount=item.quantity * _unit_price(item, prices)) for item in order.items
    ]
    return PricedOrder(order=order, lines=lines, total=sum(line.amount for line in lines))


def _unit_price(item: Item, prices: dict) -> Decimal:
    if item.sku not in prices["units"]:
        raise LookupError(f"there is no price for {item.sku}")
    return Decimal(prices["units"][item.sku])
