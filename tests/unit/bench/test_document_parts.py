"""Two commands write one document; neither touches what the other measured."""

import pytest

from tests.bench.document import TEMPLATE, replace_cluster_part, with_cluster_part_of

BEFORE = "# Benchmarks\n\nold\n\n<!-- cluster -->\nof a cluster \\1\n<!-- /cluster -->\n\nend\n"


def test_a_run_on_a_cluster_replaces_its_own_part_alone():
    after = replace_cluster_part(BEFORE, "newer \\2\n")

    assert after == BEFORE.replace("of a cluster \\1", "newer \\2")


def test_a_run_without_a_cluster_keeps_what_one_on_a_cluster_wrote():
    new = "# Benchmarks\n\nnew\n\n<!-- cluster -->\nnothing\n<!-- /cluster -->\n"

    assert with_cluster_part_of(BEFORE, new) == new.replace("nothing", "of a cluster \\1")


@pytest.mark.parametrize("old", ["", "# Benchmarks\n"], ids=["no file", "an older one"])
def test_without_such_a_part_the_template_says_that_there_is_none(old: str):
    template = TEMPLATE.read_text()

    assert with_cluster_part_of(old, template) == template
    assert "make bench-cluster" in template


def test_a_document_without_a_place_for_a_cluster_is_left_alone():
    with pytest.raises(ValueError, match="no place"):
        replace_cluster_part("# Benchmarks\n", "new")
