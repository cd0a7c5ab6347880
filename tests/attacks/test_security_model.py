"""Each sentence of docs/SECURITY_MODEL.md about builds, Secrets and images is held by a test."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
TEXT = (CHECKOUT / "docs/SECURITY_MODEL.md").read_text()
# What each of these paragraphs begins with; it ends with the next one that begins like it.
PARAGRAPHS = (
    "- **Builds.**",
    "**A malicious package**",
    "**A malicious archive**",
    "**A made-up event**",
    "**A hostile host of a source**",
    "**A Secret that a request names**",
    '<a id="images-that-a-request-names"></a> **An image that a request names**',
    "**Somebody who can write to the storage**",
    "- **The URLs of a build's two objects**",
    "- **Package indexes**",
)
CODE = "attacks/test_code_of_packages.py::"
PACKAGES = "attacks/test_hostile_packages.py::"
RESULTS = "attacks/test_results_of_jobs.py::"
SOURCES = "attacks/test_sources_and_references.py::"
SPY = f"{CODE}test_what_a_source_package_does_while_it_is_built_reaches_nobody"
FOLDER_OF_A_LOCK = f"{CODE}test_a_lock_that_names_a_folder_of_the_source_runs_nothing_of_it"
HOSTILE_RESULT = f"{RESULTS}test_a_hostile_result_is_refused_removed_and_leaves_nothing"
EXECUTES_NOTHING = (
    f"{RESULTS}test_publish_executes_compiles_and_imports_nothing_of_what_a_build_leaves"
)
OTHERS = f"{RESULTS}test_a_result_of_one_lambda_is_no_part_of_another"
AGAIN = f"{RESULTS}test_a_result_that_is_written_again_changes_nothing"
WHEEL = f"{PACKAGES}test_a_hostile_wheel_runs_nothing_and_leaves_its_folder_nowhere"
TARBALL = f"{PACKAGES}test_a_hostile_tarball_runs_nothing_and_leaves_its_folder_nowhere"
SECRET = f"{SOURCES}test_a_secret_of_the_platform_cannot_be_a_variable"
IMAGE = f"{SOURCES}test_an_image_of_another_lambda_is_refused_however_it_is_spelled"
SECOND_NAME = f"{SOURCES}test_each_name_of_the_registry_that_is_set_counts"
NO_IMAGE = f"{SOURCES}test_what_container_runtimes_do_not_read_as_an_image_is_refused"
THIRD_NAME = f"{SOURCES}test_an_image_of_the_platform_or_of_elsewhere_is_any_image"
HOSTILE_SOURCE = f"{SOURCES}test_a_hostile_source_is_told_to_its_author_and_becomes_nothing"
JOB = "attacks/test_manifests_of_builds.py::"
RUNTIMES = "integration/runtimes/test_python_package_sources.py::"
NODE = "integration/runtimes/test_node_package_sources.py::"

MADE_UP = (
    "embedded/test_made_up_events.py::"
    "test_a_made_up_event_ends_no_build_that_waits_and_changes_no_outcome"
)
COMPLETE = "unit/use_cases/test_complete_build.py::"

UPLOADS = "contract/test_object_storage_uploads.py::"
CLEANUP = "unit/use_cases/test_clean_up.py::"
FOLLOWER = "unit/use_cases/test_follow_build.py::"
LANES = "unit/use_cases/test_lanes.py::"
HOSTS = "integration/sources/test_hostile_hosts.py::"
GIT = "integration/sources/test_git_sources.py::"
GIT_PACK = "unit/adapters/hosted_sources/test_git_pack.py::"
GIT_TREE = "unit/adapters/hosted_sources/test_git_tree.py::"
ELSEWHERE = f"{HOSTS}test_a_redirect_leads_to_no_host_that_is_not_listed"

STEPS = "integration/builder/test_source_builds.py::"

# How a sentence begins -> the tests that hold it.
HELD: dict[str, tuple[str, ...]] = {
    "Everything in a build Pod is treated as hostile.": (HOSTILE_RESULT, WHEEL, TARBALL),
    "A build installs packages, leaves them as one object in storage, and decides nothing else:": (
        HOSTILE_RESULT,
        OTHERS,
    ),
    "A build gets the files that ask for packages,": (FOLDER_OF_A_LOCK,),
    "It has no credential of the registry.": (f"{JOB}test_a_job_mounts_and_names_no_secret", SPY),
    "always runs in the lambda.": ("integration/runtimes/test_functions_framework.py",),
    "In the build step it runs code only if `KN_LAMBDA_ALLOW_SOURCE_PACKAGES` is on;": (
        f"{CODE}test_without_leave_a_source_package_is_refused_and_does_not_run",
        FOLDER_OF_A_LOCK,
        WHEEL,
        TARBALL,
    ),
    "In `build` it has the files of that one source that ask for packages,": (
        FOLDER_OF_A_LOCK,
        f"{JOB}test_a_job_is_bounded_as_the_documents_say",
    ),
    "The container has no token and no credential of the registry.": (
        f"{JOB}test_a_job_mounts_and_names_no_secret",
        SPY,
    ),
    "Code of a package that is built from source runs after the download,": (
        SPY,
        f"{STEPS}test_no_step_reads_the_memory_or_the_environment_of_the_program",
    ),
    "Before the result is packed, every process that the step started is ended.": (SPY,),
    "What it asks for comes from the index, or from addresses that the operator allows": (
        f"{RUNTIMES}test_a_package_at_another_address_is_refused_before_it_is_fetched",
        f"{NODE}test_an_address_in_a_package_json_is_refused_before_it_is_fetched",
    ),
    "It can corrupt the packages of that lambda, and of that lambda only:": (OTHERS, AGAIN),
    "It cannot name another repository or push an image.": (
        OTHERS,
        f"{JOB}test_a_job_mounts_and_names_no_secret",
    ),
    "The object that it leaves is read by `publish`,": (
        HOSTILE_RESULT,
        f"{RESULTS}test_a_result_over_the_limit_is_not_read_to_its_end",
    ),
    "No link leads out, and no mode grants rights.": (HOSTILE_RESULT, WHEEL, TARBALL),
    "Nothing in it is executed, compiled or imported.": (EXECUTES_NOTHING,),
    "A build that writes its object again after `publish` has read it changes nothing:": (
        AGAIN,
        f"{RESULTS}test_a_result_that_comes_after_the_build_failed_is_not_used",
        "unit/use_cases/test_clean_up.py",
    ),
    "The image contains the code that build-start stored, not what a build makes of it": (
        AGAIN,
        FOLDER_OF_A_LOCK,
    ),
    "of a source is opened by two functions:": (HOSTILE_SOURCE,),
    "Both read it under limits of size, count and ratio,": (
        HOSTILE_SOURCE,
        "embedded/test_hostile_archives.py::test_a_hostile_archive_is_a_failed_build_with_a_reason",
    ),
    "of a kind that the functions send each other": (MADE_UP,),
    "It decides nothing that goes into an image or is deployed:": (
        MADE_UP,
        OTHERS,
        f"{COMPLETE}test_the_digest_of_an_event_is_not_trusted",
    ),
    "It ends no build that waits for its turn,": (
        MADE_UP,
        f"{COMPLETE}test_a_build_that_waits_is_ended_by_no_build_complete",
        (
            f"{COMPLETE}"
            "test_a_recorded_outcome_is_changed_by_no_event_that_has_the_id_of_the_one_that_told_it"
        ),
    ),
    "It can end a build whose Job has begun as failed,": (
        f"{COMPLETE}test_a_redelivered_failure_repeats_the_reply",
    ),
    "The event `build.cancel` is a request,": (
        "unit/use_cases/test_admit_builds.py::test_a_build_that_waits_can_be_cancelled",
    ),
    "(`https://`, `git+https://`) is one that the operator lists,": (ELSEWHERE,),
    "No other is connected:": (
        f"{HOSTS}test_a_host_that_is_not_listed_is_never_connected",
        f"{HOSTS}test_a_name_that_resolves_to_an_address_that_is_not_public_is_never_connected",
        f"{HOSTS}test_an_internal_host_outside_of_its_networks_is_never_connected",
        f"{HOSTS}test_the_connection_goes_to_the_address_that_was_checked",
        "unit/domain/test_source_hosts.py",
    ),
    "Each redirect is checked as the first request is.": (ELSEWHERE,),
    "The certificate must be that of the name.": (
        f"{HOSTS}test_the_certificate_has_to_be_that_of_the_name",
        f"{HOSTS}test_an_authority_that_the_operator_does_not_name_is_not_trusted",
    ),
    "What it sends is bounded:": (
        f"{HOSTS}test_a_response_without_end_is_cut_at_the_limit",
        f"{HOSTS}test_more_branches_than_memory_should_hold_are_refused",
        f"{HOSTS}test_a_slow_host_is_given_up_after_the_time_for_all_of_it",
        f"{GIT}test_a_repository_that_is_too_large_to_fetch_is_refused",
        f"{GIT}test_a_repository_that_is_too_large_unpacked_is_refused",
        f"{GIT}test_trees_that_contain_each_other_many_times_are_refused",
        f"{GIT_PACK}test_a_bomb_is_refused_before_it_is_unpacked_and_takes_no_memory",
        f"{GIT_PACK}test_deltas_that_multiply_their_base_are_refused_when_there_is_no_more_room",
        f"{GIT_PACK}test_a_pack_of_too_many_objects_is_refused_by_its_head",
    ),
    "Every object of a repository is found by the hash of its content,": (
        f"{GIT_PACK}test_objects_are_known_by_the_hash_of_what_they_contain",
        f"{GIT_TREE}test_an_object_that_the_host_kept_back_is_told",
    ),
    "Links and submodules are refused, and nothing is executed.": (
        f"{GIT}test_a_link_is_refused_by_its_name",
        f"{GIT}test_a_submodule_is_refused_by_its_name_and_never_fetched",
        f"{GIT_TREE}test_a_link_or_a_submodule_is_refused_whatever_it_refers_to",
    ),
    "A token goes to the host that `source.uri` names": (
        f"{HOSTS}test_a_redirect_to_a_listed_host_is_followed_without_the_secret",
        f"{GIT}test_a_token_that_is_not_accepted_is_not_repeated",
        (
            "contract/test_source_secrets.py::"
            "test_a_secret_that_opens_nothing_is_told_by_its_name_and_key_alone"
        ),
    ),
    "The field `source.secretRef` names a Secret of the subject's namespace,": (
        "contract/test_source_secrets.py",
        "contract/test_schemas.py::test_a_wrong_spec_is_refused",
        "integration/cluster_config/test_lambda_functions.py::test_a_wrong_spec_is_refused",
    ),
    "Whoever may deploy in the namespace decides to which listed host it is sent.": (
        f"{GIT}test_a_private_repository_is_opened_by_the_secret",
    ),
    "(`secretKeyRef`) may not begin with `knative-lambda-`:": (
        SECRET,
        (
            "unit/cli/test_deploy_request.py::"
            "test_a_secret_of_the_platform_is_refused_before_anything_is_sent"
        ),
        "contract/test_schemas.py::test_a_wrong_spec_is_refused",
        "integration/cluster_config/test_lambda_functions.py::test_a_wrong_spec_is_refused",
    ),
    "A lambda that named one before this rule goes on serving and can be deleted,": (
        (
            "integration/embedded_api/test_records_from_before.py::"
            "test_a_record_that_names_a_reserved_secret_still_is_read_written_and_deleted"
        ),
        (
            "integration/cluster_config/test_lambda_functions.py::"
            "test_a_record_that_is_older_than_a_rule_still_gets_its_status_and_is_deleted"
        ),
        "embedded/test_secrets.py",
    ),
    "The rule is about names:": (SECRET,),
    "(`source.image`) is compared with the registry of lambdas in one form for all spellings:": (
        IMAGE,
        "unit/oci/test_references.py",
    ),
    "Both names that the settings have count": (SECOND_NAME,),
    "What container runtimes do not read as an image": (NO_IMAGE,),
    "A third name of the same registry, such as an alias in DNS or a mirror,": (THIRD_NAME,),
    "A pull Secret holds for the names that are in it.": (
        "unit/oci/test_credentials.py::test_credentials_of_a_neighbour_are_not_taken",
    ),
    "Images of the platform itself are allowed:": (
        THIRD_NAME,
        (
            "unit/manifests/test_service.py::"
            "test_a_lambda_keeps_to_pod_security_restricted_and_has_no_token"
        ),
    ),
    "can change what a build is given, which its SHA-256 detects,": (
        "integration/builder/test_context.py::test_other_bytes_than_expected_are_refused",
    ),
    "Lambdas run by digest, but a build id that is found by its tag": (
        "unit/manifests/test_service.py::test_the_image_is_named_by_digest_and_nothing_else",
        f"{LANES}test_a_change_of_code_alone_takes_the_packages_that_are_kept",
        (
            "unit/config/test_rights.py::"
            "test_a_function_has_the_secrets_that_it_needs_and_publish_alone_may_push"
        ),
    ),
    "are in a Secret of its own in knative-lambda-builds, which goes when the build": (
        f"{JOB}test_the_secret_of_a_build_goes_with_its_job",
        "embedded/test_secrets.py::test_what_opens_the_objects_of_a_build_goes_with_its_end",
    ),
    "Those who may read Jobs, Pods and logs do not see them.": (
        f"{JOB}test_whoever_may_read_jobs_pods_and_logs_finds_no_secret",
        WHEEL,
        TARBALL,
    ),
    "Where the storage has no POST policies": (
        f"{UPLOADS}test_what_a_build_stores_over_the_limit_there_is_removed_and_fails_it",
        f"{FOLLOWER}test_a_build_that_stores_too_much_fails_while_it_runs",
        f"{FOLLOWER}test_a_long_build_is_watched_to_its_end_where_it_can_store_too_much",
    ),
    "What a build stores that nobody wants any more stays for": (
        f"{CLEANUP}test_what_a_job_leaves_of_a_build_that_was_superseded_goes",
    ),
    "are trusted as the machine trusts servers:": (
        "integration/images/test_images.py::test_certificate_authorities_are_found_where_openssl_looks",
        "unit/runtimes/test_system_certificates.py::test_a_machine_with_a_store_is_trusted",
    ),
    "A lock with hashes notices it.": (
        "integration/runtimes/test_python_recipe.py::test_hashes_are_checked",
        f"{NODE}test_a_public_address_with_another_s_content_is_refused_by_its_hash",
    ),
}


def paragraphs() -> list[str]:
    found = []
    for start in PARAGRAPHS:
        (place,) = (
            match.start() for match in re.finditer(f"^{re.escape(start)}", TEXT, re.MULTILINE)
        )
        text = TEXT[place + len(start) :]
        found.append(re.split(r"\n\n(?:<a [^>]*></a> )?\*\*|\n- \*\*|\n## ", text)[0])
    return found


def sentences() -> list[str]:
    texts = [re.sub(r"\]\([^)]*\)|\[", "", text) for text in paragraphs()]
    items = [item for text in texts for item in re.split(r"\n\s*- |\n\n", text)]
    plain = [" ".join(item.split()) for item in items]
    return [each for item in plain for each in re.split(r"(?<=\.) (?=[A-Z])", item) if each]


def test_every_sentence_is_held() -> None:
    found = sentences()
    assert [each for each in found if not each.startswith(tuple(HELD))] == []
    assert [start for start in HELD if not any(each.startswith(start) for each in found)] == []


@pytest.mark.parametrize("test", sorted({test for tests in HELD.values() for test in tests}))
def test_what_holds_a_sentence_exists(test: str) -> None:
    file, _, name = test.partition("::")
    tree = ast.parse((CHECKOUT / "tests" / file).read_text())
    functions = {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert any(each.startswith("test_") for each in functions)
    assert not name or name in functions
