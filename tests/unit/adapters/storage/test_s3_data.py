"""What a client of S3 knows without parsing all that botocore knows."""

import json
from pathlib import Path

import pytest
from botocore.loaders import Loader

from knative_lambda.adapters.storage.s3_data import FOLDER, ExcerptLoader
from knative_lambda.adapters.storage.s3_data.take import excerpts

TAKE = "python -m knative_lambda.adapters.storage.s3_data.take"
WHOLE = Path(Loader.BUILTIN_DATA_PATH)


def test_the_excerpts_are_those_of_the_installed_botocore():
    kept = {str(file.relative_to(FOLDER)): file.read_text() for file in FOLDER.rglob("*.json")}
    assert kept == excerpts(), f"botocore has changed: {TAKE}"
    assert list(FOLDER.parent.glob("botocore-*")) == [FOLDER], f"botocore has changed: {TAKE}"


@pytest.mark.parametrize(
    "name", ["endpoints", "s3/2006-03-01/service-2", "s3/2006-03-01/endpoint-rule-set-1"]
)
def test_an_excerpt_is_read_in_place_of_the_whole_file(name):
    assert ExcerptLoader().load_file(str(WHOLE / name)) == json.loads(excerpts()[f"{name}.json"])


def test_all_other_data_is_botocores():
    assert ExcerptLoader().load_file(str(WHOLE / "partitions"))["partitions"]


def test_endpoints_that_somebody_has_put_elsewhere_are_theirs(tmp_path):
    (tmp_path / "endpoints.json").write_text('{"partitions": []}')
    assert ExcerptLoader().load_file(str(tmp_path / "endpoints")) == {"partitions": []}


def test_a_botocore_without_excerpts_reads_its_own_data(tmp_path):
    whole = ExcerptLoader(tmp_path).load_file(str(WHOLE / "endpoints"))
    assert "ec2" in whole["partitions"][0]["services"]
