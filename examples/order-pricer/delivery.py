from datetime import date, datetime

from dateutil.rrule import DAILY, FR, MO, TH, TU, WE, rrule

WORKING_DAYS_TO_DELIVER = 2


def delivery_day(placed_at: datetime) -> date:
    """Two working days after the day of the order."""
    days = rrule(DAILY, byweekday=(MO, TU, WE, TH, FR), dtstart=placed_at.replace(tzinfo=None))
    following = days.xafter(placed_at.replace(tzinfo=None), count=WORKING_DAYS_TO_DELIVER)
    return list(following)[-1].date()
