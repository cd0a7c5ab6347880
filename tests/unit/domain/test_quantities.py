from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knative_lambda.domain.quantities import PATTERN, parse_quantity

AMOUNTS = {
    "1": "1", "0": "0", "100m": "0.1", "1.5Gi": "1610612736", "129e6": "129000000", ".5": "0.5",
    "500.": "500", "1E": "1e18", "1E3": "1000", "1e-3": "0.001", "+1k": "1000", "-1": "-1",
    "1n": "1e-9", "1u": "1e-6", "1Ki": "1024", "1M": "1000000", "1Ei": "1152921504606846976",
}  # fmt: skip


@pytest.mark.parametrize("quantity", AMOUNTS)
def test_a_quantity_is_read_as_kubernetes_reads_it(quantity):
    assert parse_quantity(quantity) == Decimal(AMOUNTS[quantity])


def test_a_number_is_a_quantity():
    assert parse_quantity(2) == 2


@pytest.mark.parametrize(
    "text",
    ["", "much", "1Zi", "1K", "1ni", "1ki", ".", "1.2.3", "1e", "1e1.5", "1e1000", "NaN", "٣"],
)
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(ValueError, match="is not a quantity such as 500m"):
        parse_quantity(text)


@given(st.from_regex(re.compile(PATTERN, re.ASCII), fullmatch=True))
def test_all_that_the_schema_takes_can_be_read(text):
    assert parse_quantity(text) >= 0
