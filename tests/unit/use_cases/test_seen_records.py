"""What cleanup remembers of the records."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knative_lambda.domain.lambda_function import (
    BuildStatus,
    LambdaFunction,
    LambdaFunctionSpec,
    LambdaFunctionStatus,
    Phase,
    RequestStamp,
)
from knative_lambda.domain.names import FunctionId
from knative_lambda.use_cases.seen_records import SeenRecord, SeenRecords, WorkUnderWay
from tests.helpers.lambda_function_specs import IMAGE, MINIMAL

CART, CART_OLD, TILL = (FunctionId("shop", name) for name in ("cart", "cart-old", "till"))
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
NEWEST, OTHER = "1" * 64, "2" * 64


def record(function=CART, build_id=NEWEST, *, phase=Phase.READY, **spec):
    said = None if build_id is None else BuildStatus(id=build_id, request_id="w", request_time=NOW)
    return LambdaFunction(
        id=function,
        spec=LambdaFunctionSpec.model_validate(MINIMAL | spec),
        status=LambdaFunctionStatus(build=said, phase=phase),
        stamp=RequestStamp(time=NOW, event_id="w"),
        resource_version="7",
    )


def test_only_lambdas_with_a_record_are_known():
    seen = SeenRecords([record(CART_OLD), record(TILL)])
    assert CART_OLD in seen
    assert TILL in seen
    assert CART not in seen  # though its name begins another one
    assert FunctionId("shop", "zoo") not in seen


def test_only_the_newest_build_of_a_record_is_that():
    seen = SeenRecords([record(CART), record(TILL, OTHER)])
    assert seen.is_newest_build(CART, NEWEST)
    assert not seen.is_newest_build(CART, OTHER)
    assert not seen.is_newest_build(CART_OLD, NEWEST)


def test_records_come_in_the_same_order_however_they_are_listed():
    records = [record(function) for function in (TILL, CART, CART_OLD)]
    seen, again = SeenRecords(records), SeenRecords(records[::-1])
    assert [seen[number] for number in range(len(seen))] == list(again)
    assert {each.function for each in again} == {CART, CART_OLD, TILL}


@pytest.mark.parametrize("phase", [Phase.BUILDING, Phase.DEPLOYING])
def test_of_a_record_with_a_build_under_way_the_build_is_remembered(phase):
    building = record(CART, phase=phase)
    seen = SeenRecords([building, record(TILL), record(CART_OLD, None, phase=phase)])
    assert seen.under_way == {CART: WorkUnderWay(building.status.build, NOW, "7")}


@given(build_id=st.none() | st.text(), has_image=st.booleans(), is_collecting=st.booleans())
def test_all_that_is_remembered_of_a_record_is_read_again(build_id, has_image, is_collecting):
    said = record(TILL, build_id, source={"image": IMAGE} if has_image else MINIMAL["source"])
    update = {"collecting": ["sha256:1"] if is_collecting else []}
    said = said.model_copy(update={"status": said.status.model_copy(update=update)})
    assert SeenRecords([said])[0] == SeenRecord(
        function=TILL,
        version="7",
        image=IMAGE if has_image else None,
        is_collecting=is_collecting,
        build_id=build_id,
    )
