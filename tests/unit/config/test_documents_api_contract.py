"""What docs/API_CONTRACT.md guarantees is what the code does."""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import re
import tomllib
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest
from click.testing import CliRunner
from flask import Request

import knative_lambda.adapters
from kn_lambda.checks.check import Verdict
from kn_lambda.deploying.watcher import Outcome
from kn_lambda.errors import ExitCode
from kn_lambda.main import _COMMANDS, cli
from knative_lambda.adapters.kubernetes.client import FIELD_MANAGER
from knative_lambda.adapters.kubernetes.functions import _with_request
from knative_lambda.domain import build
from knative_lambda.domain.dead_letter import DeadLetter
from knative_lambda.domain.deployment import Deployment
from knative_lambda.domain.errors import (
    KnativeLambdaError,
    PermanentError,
    RetryableError,
    ThrottledError,
)
from knative_lambda.domain.events import Event
from knative_lambda.domain.lambda_function import (
    _RESERVED_ENV,
    LambdaFunction,
    LambdaFunctionSpec,
    RequestStamp,
)
from knative_lambda.inbound import cloud_events, dead_letters, endpoint
from knative_lambda.inbound.api import operations, problems
from knative_lambda.inbound.api.operations import OPERATIONS
from knative_lambda.manifests import labels
from knative_lambda.manifests.rejection_event import (
    _MAX_MESSAGE_BYTES,
    rejection_event,
    rejection_event_name,
)
from knative_lambda.manifests.service import lambda_service
from knative_lambda.manifests.trigger import subscriptions_trigger
from tests.helpers.dev_overlay import OBJECTS, REPOSITORY
from tests.unit.config.helpers.build_jobs import BUILD, HELLO, build_job_of, order
from tests.unit.config.helpers.documents import Document, by_code, codes, numbers
from tests.unit.config.helpers.lambda_function_schema import SCHEMA, VERSION, fields
from tests.unit.config.helpers.log_sizes import log_sizes

CONTRACT = Document("API_CONTRACT.md")


# Answers


def leaves(cls):
    """Every error class of ours that is raised; the two in the middle only sort them."""
    for sub in cls.__subclasses__():
        if sub not in {PermanentError, RetryableError}:
            yield sub
        yield from leaves(sub)


def status_of(cls):
    return next(
        endpoint.STATUS_BY_ERROR[parent]
        for parent in cls.__mro__
        if parent in endpoint.STATUS_BY_ERROR
    )


def answer_to(method, path="/"):
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path}
    return endpoint.response_without_event(Request(environ))


def every_error():
    """Those of the adapters too, whichever test came before."""
    for module in pkgutil.walk_packages(
        knative_lambda.adapters.__path__, "knative_lambda.adapters."
    ):
        importlib.import_module(module.name)
    return leaves(KnativeLambdaError)


def test_every_reason_of_the_functions_has_its_status():
    wanted = {
        cls.__name__.removesuffix("Error"): status_of(cls)
        for cls in every_error()
        if cls.__module__.startswith("knative_lambda.")
    }
    wanted["InternalError"] = status_of(Exception)
    wanted["MethodNotAllowed"] = answer_to("GET")[1]
    rows = CONTRACT.rows("reason", "status", "when")
    assert {name: int(status) for name, status in by_code(rows).items()} == wanted


def test_every_problem_of_the_http_api_has_its_status():
    said = {
        name: int(row[1])
        for row in CONTRACT.rows("type ends in", "status", "sent when")
        for name in codes(row[0])
    }
    # Those that the HTTP layer itself finds have the words of their status.
    of_http = {401: "Unauthorized", 404: "NotFound", 405: "MethodNotAllowed", 411: "LengthRequired"}
    of_http |= {408: "RequestTimeout", 415: "UnsupportedMediaType"}
    for status, name in of_http.items():
        found = problems.problem(problems.RequestError(HTTPStatus(status), "said to a person"))
        assert json.loads(found.body)["type"] == problems.TYPES + name
        assert said.pop(name) == status
    bug = json.loads(problems.problem(ValueError("secret")).body)
    assert said.pop(bug["type"].removeprefix(problems.TYPES)) == bug["status"]
    classes = {cls.__name__.removesuffix("Error"): cls for cls in every_error()}
    wanted = {name: problems.status_of(_error(classes[name])) for name in said}
    assert said == wanted
    # Every kind of error that has a status of its own here is in the table, or one of its kind is.
    assert {int(status) for status in wanted.values()} >= {
        int(status) for cls, status in problems.STATUS_BY_ERROR.items() if cls is not Exception
    }


def _error(cls):
    options = {"retry_after": timedelta(seconds=1)} if cls is ThrottledError else {}
    return cls("said to a person", **options)


def test_every_operation_of_the_http_api_is_there():
    rows = CONTRACT.rows("method", "path below `/v1/namespaces/{namespace}`")
    said = {(row[0], codes(row[1])[0]) for row in rows}
    assert said == {(each.method, each.path.removeprefix(operations.ROOT)) for each in OPERATIONS}


def test_every_status_of_the_functions_is_there_with_what_the_broker_does():
    rows = CONTRACT.rows("status", "body", "when", "the Broker then")
    wanted = {200, 204, answer_to("GET")[1], *endpoint.STATUS_BY_ERROR.values()}
    assert {int(row[0]) for row in rows} == wanted
    for status, *_, then in rows:
        tried_again = int(status) in {404, 408, 409, 429} or int(status) >= 500
        assert (then == "tries again") == tried_again
        assert (then == "dead letter at once") == (not tried_again and int(status) >= 400)
    assert {404, 408, 409}.isdisjoint(wanted)


def test_health_is_answered():
    for path in codes(CONTRACT.text.partition("### Health")[2].partition(":")[0]):
        assert answer_to("GET", path.removeprefix("GET "))[1] == 200


def test_the_limits_of_events_are_those_of_the_code():
    about = dict(CONTRACT.rows_from("modes"))
    mib = 1024 * 1024
    assert {endpoint.MAX_BODY_BYTES // mib, dead_letters.MAX_BODY_BYTES // mib} == numbers(
        about["size of the body"]
    )
    assert cloud_events._MAX_ATTRIBUTE in numbers(about["attributes"])
    assert f"at most {endpoint._MAX_ERROR_BYTES} bytes" in CONTRACT.text


def test_the_extensions_that_answers_carry_are_there():
    rows = CONTRACT.rows("extension", "taken from the event")
    carried = {codes(row[0])[0] for row in rows if row[3] == "yes"}
    assert carried == set(cloud_events._CARRIED)
    python = (REPOSITORY / "runtimes/python/server/lambda_runtime/replies.py").read_text()
    node = (REPOSITORY / "runtimes/nodejs/server/lambda_runtime/replies.js").read_text()
    for text in (python, node):
        kept = re.search(r"CARRIED_OVER = [(\[]([^)\]]+)[)\]]", text)[1]
        said = {codes(row[0])[0] for row in rows if row[4].startswith("yes")}
        assert set(re.findall(r'"(\w+)"', kept)) == said
    assert labels.LAMBDA_EXTENSION in by_code(rows)


# The resource


def documented_fields(header):
    names = {name for row in CONTRACT.rows(*header) for name in codes(row[0])}
    return {name.replace("[]", ".[]").replace("..", ".") for name in names}


def test_every_field_of_the_spec_is_there():
    schema = {".".join(path) for path in fields(SCHEMA["spec"])}
    assert documented_fields(("field", "default", "rules")) - {"subscriptions.[]"} == schema


def test_every_field_of_the_status_is_there():
    schema = {".".join(path) for path in fields(SCHEMA["status"])} - {
        "conditions",
        "build",
        "packages",
    }
    conditions = {name for name in schema if name.startswith("conditions.[].")}
    about = by_code(CONTRACT.rows("field", ""))["conditions[]"].partition("(")[0]
    assert {f"conditions.[].{name}" for name in codes(about)} == conditions
    documented = documented_fields(("field", "")) - {"conditions.[]"}
    assert {name.removesuffix(".[]") for name in documented} == schema - conditions


def resolved(schema, path, default=None):
    """The schema of a field, and its default, which may stand further up."""
    for name in path:
        above = default if isinstance(default, dict) else {}
        schema = schema["items"] if name == "[]" else schema["properties"][name]
        default = schema.get("default", above.get(name))
    return schema, default


RULES = CONTRACT.rows("field", "default", "rules")
BOUNDS = ("minimum", "maximum", "maxLength", "maxItems", "maxProperties")


@pytest.mark.parametrize("row", RULES, ids=lambda row: row[0])
def test_a_field_has_the_default_and_the_bounds_of_the_schema(row):
    for name in codes(row[0]):
        path = [part for part in re.split(r"\.|(?=\[\])", name) if part]
        schema, default = resolved(SCHEMA["spec"], path)
        above, _ = resolved(SCHEMA["spec"], path[:-1])
        assert {schema[bound] for bound in BOUNDS if bound in schema} <= numbers(row[2])
        assert set(schema.get("enum", ())) <= set(codes(row[2]))
        assert (path[-1] in above.get("required", ())) == (row[1] == "required")
        if isinstance(default, dict):
            assert row[1] == "all defaults"
        elif default is not None:
            assert row[1] == f"`{str(default).lower() if default is False else default}`"
        else:
            assert not codes(row[1])


def test_every_phase_condition_and_column_is_there():
    status = SCHEMA["status"]["properties"]
    phases = by_code(CONTRACT.rows("phase", "means"), 1)
    assert list(phases) == status["phase"]["enum"]
    condition = status["conditions"]["items"]["properties"]
    rows = CONTRACT.rows("condition")
    assert [codes(row[0])[0] for row in rows] == condition["type"]["enum"]
    header = CONTRACT.header("condition")
    assert {codes(cell)[0] for cell in header[1:]} == set(condition["status"]["enum"])
    (line,) = re.findall(r"^Columns of .*$", CONTRACT.text, re.MULTILINE)
    usual, wide = line.split("with `-o wide`")
    columns = VERSION["additionalPrinterColumns"]
    assert codes(usual)[1:] == [c["name"] for c in columns if "priority" not in c]
    assert codes(wide) == [c["name"] for c in columns if "priority" in c]


def test_the_tails_of_logs_are_as_long_as_it_says():
    sizes = log_sizes()
    about = by_code(CONTRACT.rows("field", ""))
    assert numbers(about["build.log"]) == {sizes["_LOG_BYTES_IN_STATUS"]}
    assert numbers(about["build.logUri"]) == {sizes["_LOG_BYTES"]}


# Reasons


def calls(folder):
    for path in sorted((REPOSITORY / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield node


def constant(node):
    return node.value if isinstance(node, ast.Constant) else None


def keyword(call, name):
    return next((constant(k.value) for k in call.keywords if k.arg == name), None)


WHOSE = {
    **dict.fromkeys(("UserError", "ContentError"), "yours"),
    **dict.fromkeys(("PlatformError", "StoredImageError", "RejectedError"), "ours"),
    **dict.fromkeys(("SetupError", "UnavailableError"), "ours"),
}


def reasons_of_builds():
    """(reason, whether it is the user's): of builder, recipes, installers and control plane."""
    for call in (*calls("oci/src"), *calls("builder/src")):
        if call.func.id in WHOSE and constant(call.args[0]):
            yield constant(call.args[0]), WHOSE[call.func.id] == "yours"
    for call in calls("runtimes"):
        if call.func.id == "RecipeError" and constant(call.args[0]):
            yield constant(call.args[0]), not keyword(call, "temporary")
    for path in (REPOSITORY / "runtimes").glob("*/installer_errors.py"):
        values = {
            node.targets[0].id: ast.literal_eval(node.value)
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.Assign) and node.targets[0].id in {"_REASONS", "_TEMPORARY"}
        }
        for reason, _ in values["_REASONS"]:
            yield reason, reason not in values["_TEMPORARY"]
        yield "PackageInstallFailed", True
    for call in calls("shared/src"):
        if call.func.id == "BuildFailure" and keyword(call, "reason"):
            yield keyword(call, "reason"), keyword(call, "is_users")


# Where the reason is not a constant beside `BuildFailure`.
BY_HAND = {
    ("BuildFailed", False),
    # Errors of publish, which become failures of the build.
    ("BaseImageUnknown", False),
    ("PackagesMissing", False),
    ("SourceNotFound", False),
    ("RejectedByPlatform", True),
    ("ServiceNotReady", True),
    ("TriggerNotReady", False),
    # Knative's own.
    ("RevisionFailed", True),
    ("RevisionMissing", True),
    ("BrokerDoesNotExist", False),
}


def test_every_reason_of_a_failure_is_there_and_says_whose_it_is():
    rows = CONTRACT.rows("reason", "whose")
    said = {(name, whose == "yours") for name, whose in by_code(rows).items()}
    assert said == set(reasons_of_builds()) | BY_HAND


def sources_of(language):
    folder = REPOSITORY / "runtimes" / language / "server/lambda_runtime"
    return "\n".join(path.read_text() for path in sorted(folder.iterdir()) if path.is_file())


def refusals(language):
    pattern = r"(?:RejectedRequestError|error_response|errorResponse)\(\s*(\d+),\s*\"(\w+)\""
    return {(int(status), reason) for status, reason in re.findall(pattern, sources_of(language))}


def test_every_error_of_a_lambda_is_there():
    rows = CONTRACT.rows("status", "reason", "when")
    said = {(int(row[0]), reason): row[2] for row in rows for reason in codes(row[1])}
    python, node = refusals("python"), refusals("nodejs")
    assert said.keys() == python | node
    for refusal, when in said.items():
        only = {"Python": python, "Node.js": node}.get(re.match(r"[\w.]*", when)[0])
        assert (refusal in python and refusal in node) == (only is None)
        assert only is None or refusal in only


def test_every_row_about_the_framework_for_python_is_held_by_tests_that_are_there():
    rows = CONTRACT.rows("of functions-framework (Python)", "promised", "tested by")
    tests = REPOSITORY / "tests/integration/runtimes"
    for row in rows:
        assert codes(row[2]), row
        assert all((tests / f"{name}.py").is_file() for name in codes(row[2])), row


def test_the_versions_of_the_framework_for_python_are_those_that_are_tried():
    tests = REPOSITORY / "tests/integration/runtimes/test_functions_framework_versions.py"
    tried = re.findall(r'"(3[\d.]+)"', re.search(r"VERSIONS = \[.*\]", tests.read_text())[0])
    assert f"tried with {', '.join(tried)} and the newest" in CONTRACT.text
    locked = (REPOSITORY / "runtimes/python/requirements.txt").read_text()
    newest = re.search(r"^functions-framework==(\d+\.\d+)", locked, re.MULTILINE)[1]
    assert f"each of 3.0 to {newest}, tried" in CONTRACT.text


def test_every_row_about_the_framework_for_node_is_held_by_tests_that_are_there():
    rows = CONTRACT.rows("of functions-framework (Node.js)", "promised", "tested by")
    tests = REPOSITORY / "tests/integration/runtimes"
    for row in rows:
        assert codes(row[2]) or row[1].startswith("not: "), row
        assert all((tests / f"{name}.py").is_file() for name in codes(row[2])), row


def test_the_version_of_express_is_the_one_that_is_locked():
    locked = json.loads((REPOSITORY / "requirements/express/package.json").read_text())
    version = locked["dependencies"]["express"]
    assert f"of Express {version.rpartition('.')[0]}, which comes with the server" in CONTRACT.text


def test_every_reason_not_to_start_is_there():
    paragraph = CONTRACT.text.partition("A process that cannot serve")[2].partition("\n\n")[0]
    wanted = {
        reason
        for language in ("python", "nodejs")
        for reason in re.findall(r"StartupError\(\s*\"(\w+)\"", sources_of(language))
    }
    assert set(codes(paragraph)) == wanted


# Names


def documented_names():
    return {row[0]: codes(row[1])[0] for row in CONTRACT.rows("what", "name", "where")}


def as_pattern(template):
    parts = {
        "<namespace>": HELLO.namespace,
        "<name>": HELLO.name,
        "<build id>": BUILD,
        "<first 40 of the build id>": BUILD[:40],
        "<packages key>": BUILD,
        "<first 40 of the packages key>": BUILD[:40],
        "<hash>": "[0-9a-f]{16}",
        "<SHA-256>": "[0-9a-f]{64}",
    }
    for placeholder, text in parts.items():
        template = template.replace(placeholder, text)
    return template


def spec():
    source = {"inline": {"main.py": ""}}
    return LambdaFunctionSpec.model_validate(
        {"source": source, "runtime": "python3.11", "subscriptions": [{"type": "a"}]}
    )


def deployment():
    return Deployment(function=HELLO, uid="u", generation=1, spec=spec(), image="image")


def dead_letter():
    return DeadLetter(
        id="1",
        source="/a",
        type="a",
        headers={},
        body=b"",
        is_cut=False,
        destination="http://hello.tenant.svc.cluster.local",
        status="500",
        error="",
    )


@pytest.mark.parametrize(
    ("what", "made"),
    [
        ("build Job", order().name),
        ("Knative Service", lambda_service(deployment())["metadata"]["name"]),
        (
            "Trigger of all `subscriptions`, if there are any",
            subscriptions_trigger(deployment(), broker="default")["metadata"]["name"],
        ),
        (
            "Event of a rejected request, one per CloudEvent (source and id)",
            rejection_event_name(HELLO, source="/s", event_id="1"),
        ),
        ("tag of a build", build.image_tag(BUILD)),
        ("tag of kept packages", build.packages_tag(BUILD)),
        ("source of a build", build.source_key(HELLO, BUILD)),
        ("build context", build.context_key(HELLO, BUILD)),
        ("packages that a build left", build.packages_object_key(HELLO, BUILD)),
        ("note of kept packages", build.kept_packages_key(HELLO, BUILD)),
        ("log of a build", build.log_key(HELLO, BUILD)),
        ("tombstone of a deletion", build.tombstone_key(HELLO)),
        ("dead letter", dead_letter().key),
    ],
)
def test_names_are_derived_as_it_says(what, made):
    assert re.fullmatch(as_pattern(documented_names()[what]), made)


def marks(item):
    metadata = item["metadata"]
    return {*metadata.get("labels", ()), *metadata.get("annotations", ())}


def event_of_a_refusal():
    event = Event(id="1", source="/s", type="t")
    error = PermanentError("no", field="source.uri")
    return rejection_event(HELLO, event, error, uid="u", at=datetime.now(UTC))


def test_the_event_of_a_rejected_request_is_as_it_says():
    told = event_of_a_refusal()
    paragraph = CONTRACT.text.partition("### Rejected requests")[2].partition("###")[0]
    rows = {name: row for row in CONTRACT.rows("field of the Event") for name in codes(row[0])}
    assert f"at most {_MAX_MESSAGE_BYTES} bytes" in paragraph
    for name in ("type", "action", "reportingComponent"):
        assert codes(rows[name][1]) == [told[name]]
    assert told["source"] == {"component": told["reportingComponent"]}
    whole = {"apiVersion", "kind", "metadata", "count"}
    assert {name.partition(".")[0] for name in rows} == told.keys() - whole


def made_marks():
    """Kind -> its labels and annotations."""
    stamp = RequestStamp.model_validate({"time": "2026-01-31T12:00:00Z", "event_id": "1"})
    trigger = subscriptions_trigger(deployment(), broker="default")
    record = LambdaFunction(id=HELLO, spec=spec(), stamp=stamp, set_fields=["env.A"])
    return {
        "record": marks(_with_request(record, {}, 1))
        | {labels.NOTIFIED_AT, labels.REDEPLOY, labels.REFRESH},
        "Job": marks(build_job_of()) | {labels.NOTIFIED_AT},
        "Service": marks(labels.marked_failed(lambda_service(deployment()))),
        "Trigger": marks(labels.marked_failed(trigger)),
        "Event": marks(event_of_a_refusal()),
    }


def test_every_label_and_annotation_is_there_with_what_it_is_on():
    said = by_code(CONTRACT.rows("label or annotation", "on", "value"))
    for kind, wanted in made_marks().items():
        assert {name for name, where in said.items() if kind in where.split(", ")} == wanted
    assert marks_of_config() <= said.keys()


def marks_of_config():
    found = set()
    for item in OBJECTS:
        template = (item.get("spec") or {}).get("template") or {}
        for metadata in (item["metadata"], template.get("metadata") or {}):
            found |= {*metadata.get("labels", ()), *metadata.get("annotations", ())}
    return {name for name in found if name.startswith(("knative-lambda.dev/", "app.kub"))}


def test_the_field_manager_is_named():
    assert f"field manager `{FIELD_MANAGER}`" in CONTRACT.text


# Runtimes


def default_handlers():
    rows = CONTRACT.rows("", "Python", "Node.js")
    return next(row for row in rows if row[0] == "default handler")


def test_every_runtime_is_there():
    wanted = set()
    for path in (REPOSITORY / "runtimes").glob("*/runtime.toml"):
        about = tomllib.loads(path.read_text())
        wanted |= {about["language"] + version for version in about["versions"]}
        assert f"`{about['default_handler']}`" in default_handlers()
    (line,) = re.findall(r"^`runtime` is language.*$", CONTRACT.text, re.MULTILINE)
    assert {code for code in codes(line) if re.search(r"\d$", code)} == wanted


def test_every_variable_of_a_lambda_is_there_with_its_default():
    rows = CONTRACT.rows("variable", "default of the server")
    python = sources_of("python")
    used = set(re.findall(r"\b(?:FUNCTION_[A-Z_]+|PORT|HOST)\b", python + sources_of("nodejs")))
    assert set(by_code(rows)) == used
    given = {
        item["name"]
        for item in lambda_service(deployment())["spec"]["template"]["spec"]["containers"][0]["env"]
    }
    assert given <= set(by_code(rows))
    defaults = {"PORT": "8080", "HOST": "0.0.0.0", "FUNCTION_MAX_BODY_BYTES": str(6 << 20)}
    for name, default in defaults.items():
        assert by_code(rows)[name] == f"`{default}`"


def test_a_lambda_may_write_as_much_as_it_says():
    (volume,) = lambda_service(deployment())["spec"]["template"]["spec"]["volumes"]
    size = volume["emptyDir"]["sizeLimit"]
    assert f"`/{volume['name']}`, {size} on the node's disk" in CONTRACT.text
    for name in ("SECURITY_MODEL.md", "SCALING_STRATEGY.md"):
        assert f"a `/{volume['name']}` of {size}" in Document(name).text


def test_reserved_variables_are_named():
    (line,) = re.findall(r"^Reserved, so not for `env`: .*$", CONTRACT.text, re.MULTILINE)
    said = {code.replace("...", ".*") for code in codes(line)[1:]}
    assert said == set(_RESERVED_ENV.pattern.split("|"))


# Command line


def test_every_command_and_its_formats_are_there():
    said = {codes(row[0])[0]: codes(row[1]) for row in CONTRACT.rows("command", "`-o`")}
    assert tuple(said) == tuple(_COMMANDS)
    for name, formats in said.items():
        command = cli.get_command(None, name)
        (output,) = [p for p in command.params if "--output" in p.opts]
        assert list(output.type.choices) == formats


def test_every_command_with_json_has_its_document():
    rows = CONTRACT.rows("command", "document")
    said = {codes(row[0])[0].split()[0] for row in rows}
    with_json = {codes(row[0])[0] for row in CONTRACT.rows("command", "`-o`") if "`json`" in row[1]}
    assert said == with_json


def test_exit_codes_are_those_of_the_code():
    said = {int(row[0]): codes(row[1])[0] for row in CONTRACT.rows("exit code", "name")}
    assert said == {code.value: code.name for code in ExitCode}


def test_outcomes_and_verdicts_are_those_of_the_code():
    about = by_code(CONTRACT.rows("command", "document"))
    assert {outcome.value for outcome in Outcome} <= set(codes(about["deploy"]))
    assert {verdict.value for verdict in Verdict} <= set(codes(about["doctor"]))


def test_version_prints_the_document_that_it_says():
    result = CliRunner().invoke(cli, ["version", "-o", "json"])
    assert result.exit_code == ExitCode.OK
    assert '"version"' in result.stdout


def test_every_variable_of_the_command_line_is_there():
    (line,) = re.findall(r"^Read from the environment: (.*?)\. ", CONTRACT.text, re.MULTILINE)
    commands = [cli, *(cli.get_command(None, name) for name in _COMMANDS)]
    variables = {param.envvar for command in commands for param in command.params if param.envvar}
    conventions = (REPOSITORY / "cli/src/kn_lambda/terminal/conventions.py").read_text()
    of_terminals = set(re.findall(r'_(?:is_set|variable)\("(\w+)"\)', conventions))
    assert set(codes(line)) == variables | of_terminals
