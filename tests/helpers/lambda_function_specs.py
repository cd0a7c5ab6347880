"""Specs of LambdaFunctions that are right, and specs with one thing wrong each.

The model, the schema in config/ and a real API server are all asked about the same ones.
"""

from __future__ import annotations

from typing import Any

IMAGE = "registry.example/team/hello@sha256:" + "a" * 64
MINIMAL: dict[str, Any] = {"source": {"uri": "s3://bucket/hello/"}, "runtime": "python3.11"}
FULL: dict[str, Any] = {
    "source": {
        "inline": {
            "main.py": "def handler(event): ...",
            "data/größe.txt": "1",
            "...": "",
            "a.wh.b": "",
            ".wh": "",
        }
    },
    "runtime": "nodejs24",
    "handler": "src/main.handle_order",
    "signature": "http",
    "env": [
        {"name": "EMPTY", "value": ""},
        {"name": "TOKEN", "secretKeyRef": {"name": "a.b-c", "key": "to.ken", "optional": True}},
        {"name": "_x", "configMapKeyRef": {"name": "c", "key": "K"}},
        {"name": "HOSTNAME_OF_ME", "value": "two\nlines"},
    ],
    "scale": {"min": 1, "max": 1, "target": 1000, "concurrency": 1, "burstCapacity": 100_000},
    "resources": {"requests": {"cpu": "0.5"}, "limits": {"cpu": "2", "memory": "1.5Gi"}},
    "timeoutSeconds": 600,
    "subscriptions": [{"type": "a.b", "source": "/ä"}, {"type": "a.b", "source": "/ä"}],
}


def with_source(source: object) -> dict[str, Any]:
    return MINIMAL | {"source": source}


def with_env(*variables: object) -> dict[str, Any]:
    return MINIMAL | {"env": list(variables)}


def with_limits(**amounts: object) -> dict[str, Any]:
    requests = {"cpu": "1m", "memory": "1"}
    return MINIMAL | {"resources": {"requests": requests, "limits": amounts}}


RIGHT: dict[str, dict[str, Any]] = {
    "minimal": MINIMAL,
    "full": FULL,
    "image": with_source({"image": IMAGE}),
    "an object by its hash": with_source({"uri": "s3://bucket/a.zip", "sha256": "a" * 64}),
    "an archive on a host": with_source({"uri": "https://example.com/a.zip", "sha256": "0" * 64}),
    "a repository": with_source(
        {"uri": "git+https://example.com/a/b@main#c", "secretRef": {"name": "source-credentials"}}
    ),
    "a repository whose ref has a sign": with_source({"uri": "git+https://example.com/a@v1"}),
    "nothing but a maximum": MINIMAL | {"scale": {"max": 1}},
    "a buffer for every request": MINIMAL | {"scale": {"burstCapacity": -1}},
    "a buffer at zero alone": MINIMAL | {"scale": {"burstCapacity": 0}},
    "empty resources": MINIMAL | {"resources": {}},
    "a reserved name inside another": with_env({"name": "MY_PORT", "value": "1"}),
    "a Secret that is almost the platform's": with_env(
        {"name": "A", "secretKeyRef": {"name": "my-knative-lambda-pull", "key": "k"}},
        {"name": "B", "secretKeyRef": {"name": "knative-lambda", "key": "k"}},
        {"name": "C", "configMapKeyRef": {"name": "knative-lambda-pull", "key": "k"}},
    ),
    "a handler in a folder": MINIMAL | {"handler": "src/app-1/my.module.handle"},
    **{
        f"a quantity {quantity!r}": with_limits(memory=quantity)
        for quantity in ("129e6", 10**9, "1.5Gi", "1e9", "0.5G", "500.Mi", "1E", "+1G", "1e+9")
    },
    **{
        f"a quantity of processors {quantity!r}": with_limits(cpu=quantity)
        for quantity in (1, ".5", "0.5", "100m", "500000u", "1e-1", "1E0")
    },
    "nothing at all": MINIMAL | {"resources": {"requests": {"cpu": 0}, "limits": {"cpu": "0"}}},
    "a request of its limit": MINIMAL
    | {"resources": {"requests": {"cpu": 2}, "limits": {"cpu": "2000m"}}},
    "a hundred attributes": MINIMAL | {"subscriptions": [{f"a{n}": "v" for n in range(100)}]},
}

WRONG: dict[str, dict[str, Any]] = {
    "no source": {"runtime": "python3.11"},
    "no runtime": {"source": {"uri": "s3://b/k"}},
    "an empty source": with_source({}),
    "two sources": with_source({"uri": "s3://b/k", "image": IMAGE}),
    "three sources": with_source({"uri": "s3://b/k", "image": IMAGE, "inline": {"a": "b"}}),
    "an empty URI": with_source({"uri": ""}),
    "a URI that is too long": with_source({"uri": "s" * 2049}),
    "a URI that is no text": with_source({"uri": {"a": "b"}}),
    "an archive on a host without its hash": with_source({"uri": "https://example.com/a.zip"}),
    "a hash that is too short": with_source({"uri": "s3://b/k", "sha256": "a" * 63}),
    "a hash in capitals": with_source({"uri": "s3://b/k", "sha256": "A" * 64}),
    "a hash of a prefix": with_source({"uri": "s3://b/k/", "sha256": "a" * 64}),
    "a hash of a repository": with_source(
        {"uri": "git+https://example.com/a/b", "sha256": "a" * 64}
    ),
    "a hash of text": with_source({"inline": {"a": "b"}, "sha256": "a" * 64}),
    "a hash of an image": with_source({"image": IMAGE, "sha256": "a" * 64}),
    "a hash alone": with_source({"sha256": "a" * 64}),
    "a Secret for storage": with_source({"uri": "s3://b/k", "secretRef": {"name": "a"}}),
    "a Secret for text": with_source({"inline": {"a": "b"}, "secretRef": {"name": "a"}}),
    "a Secret of a source without a name": with_source(
        {"uri": "git+https://example.com/a/b", "secretRef": {}}
    ),
    "a Secret of the platform for a source": with_source(
        {"uri": "git+https://example.com/a/b", "secretRef": {"name": "knative-lambda-pull"}}
    ),
    "a user in the URI of a repository": with_source({"uri": "git+https://me@example.com/a/b"}),
    "a password in the URI of an archive": with_source(
        {"uri": "https://me:secret@example.com/a.zip", "sha256": "a" * 64}
    ),
    "an image by tag": with_source({"image": "registry.example/team/hello:latest"}),
    "an image name that is too long": with_source({"image": "r" * 512 + "@sha256:" + "a" * 64}),
    "no files": with_source({"inline": {}}),
    "too many files": with_source({"inline": {f"{n}.py": "" for n in range(1001)}}),
    "a file that is no text": with_source({"inline": {"a": ["b"]}}),
    "an absolute path": with_source({"inline": {"/etc/passwd": ""}}),
    "a path outside": with_source({"inline": {"a/../../b": ""}}),
    "a path to here": with_source({"inline": {"./a": ""}}),
    "an empty path": with_source({"inline": {"": ""}}),
    "an empty part of a path": with_source({"inline": {"a//b": ""}}),
    "a folder as a path": with_source({"inline": {"a/": ""}}),
    "a backslash in a path": with_source({"inline": {"a\\b": ""}}),
    "a control character in a path": with_source({"inline": {"a\tb": ""}}),
    "a name that removes a file": with_source({"inline": {"a/.wh.b": ""}}),
    "a folder that removes a file": with_source({"inline": {".wh.a/b": ""}}),
    "a path that is too long": with_source({"inline": {"a" * 256: ""}}),
    "a runtime without version": MINIMAL | {"runtime": "python"},
    "a runtime that is a path": MINIMAL | {"runtime": "../python3"},
    "a runtime with a line feed": MINIMAL | {"runtime": "python3\n"},
    "a runtime that is too long": MINIMAL | {"runtime": "a" * 32 + "1"},
    "a handler without a function": MINIMAL | {"handler": "main"},
    "a handler with a space": MINIMAL | {"handler": "main.a b"},
    "a handler with a dash": MINIMAL | {"handler": "main.a-b"},
    "a handler that starts with a digit": MINIMAL | {"handler": "main.1"},
    **{
        f"a handler {handler!r}": MINIMAL | {"handler": handler}
        for handler in (
            *("../../x.handler", "../x.handler", "./x.handler", "a/../x.handler", "a/..x.handler"),
            *("/x.handler", "/etc/x.handler", "a//x.handler", "a/.handler", "/.handler"),
            *(
                "a\\x.handler",
                "..\\x.handler",
                "C:\\x.handler",
                "x..handler",
                ".x.handler",
                "..handler",
            ),
            *(
                "x.\x00handler",
                "x\x00.handler",
                "x.handler\n",
                "a/x.",
                ".handler",
                "",
                "a/b/",
                "a.b/",
            ),
        )
    },
    "a handler that is a number": MINIMAL | {"handler": 1},
    "a time that is text": MINIMAL | {"timeoutSeconds": "30"},
    "a time that is true": MINIMAL | {"timeoutSeconds": True},
    "a time that is a fraction": MINIMAL | {"timeoutSeconds": 1.5},
    "a scale that is text": MINIMAL | {"scale": {"min": "1"}},
    "a scale that is true": MINIMAL | {"scale": {"max": True}},
    "an optional reference that is text": with_env(
        {"name": "A", "secretKeyRef": {"name": "s", "key": "k", "optional": "yes"}}
    ),
    "an optional reference that is a number": with_env(
        {"name": "A", "configMapKeyRef": {"name": "s", "key": "k", "optional": 1}}
    ),
    "a runtime that is a number": MINIMAL | {"runtime": 3.12},
    "an attribute that is a number": MINIMAL | {"subscriptions": [{"type": 1}]},
    "variables that are an object": MINIMAL | {"env": {"A": "1"}},
    "an unknown signature": MINIMAL | {"signature": "grpc"},
    "a variable without an origin": with_env({"name": "A"}),
    "a variable with two origins": with_env(
        {"name": "A", "value": "1", "secretKeyRef": {"name": "s", "key": "k"}}
    ),
    "a variable without a name": with_env({"value": "1"}),
    "a variable twice": with_env({"name": "A", "value": "1"}, {"name": "A", "value": "2"}),
    "a name with a dash": with_env({"name": "A-B", "value": "1"}),
    "a reserved name": with_env({"name": "PORT", "value": "1"}),
    "a reserved beginning": with_env({"name": "FUNCTION_HANDLER", "value": "1"}),
    "a name of ours": with_env({"name": "KN_LAMBDA_S3_REGION", "value": "1"}),
    "a name of Knative": with_env({"name": "K_SERVICE", "value": "1"}),
    "a value with a zero byte": with_env({"name": "A", "value": "a\x00b"}),
    "a value that is a number": with_env({"name": "A", "value": 1}),
    "a Secret that cannot be": with_env(
        {"name": "A", "secretKeyRef": {"name": "Upper", "key": "k"}}
    ),
    "a Secret of the platform": with_env(
        {"name": "A", "secretKeyRef": {"name": "knative-lambda-pull", "key": ".dockerconfigjson"}}
    ),
    "a key that cannot be": with_env({"name": "A", "configMapKeyRef": {"name": "c", "key": "a/b"}}),
    "a reference without a key": with_env({"name": "A", "secretKeyRef": {"name": "s"}}),
    "too many variables": with_env(*({"name": f"A{n}", "value": ""} for n in range(201))),
    "a minimum above the maximum": MINIMAL | {"scale": {"min": 2, "max": 1}},
    "a minimum above the default maximum": MINIMAL | {"scale": {"min": 51}},
    "a negative minimum": MINIMAL | {"scale": {"min": -1}},
    "no instances at all": MINIMAL | {"scale": {"max": 0}},
    "a target of nothing": MINIMAL | {"scale": {"target": 0}},
    "too much at once": MINIMAL | {"scale": {"concurrency": 1001}},
    "a burst below any": MINIMAL | {"scale": {"burstCapacity": -2}},
    "a burst above any": MINIMAL | {"scale": {"burstCapacity": 100_001}},
    "a scale that is no number": MINIMAL | {"scale": {"max": "many"}},
    **{
        f"no quantity {quantity!r}": with_limits(memory=quantity)
        for quantity in (
            *(
                -1,
                0.5,
                1.5,
                True,
                "-1",
                "-1.5Gi",
                "1 Gi",
                "1gi",
                "1Kb",
                "1K",
                "1mi",
                "1ki",
                "Gi",
                "",
            ),
            *(".", "e3", "1e", "1e100", "1e1.5", "0x1", "1_000", "\u0661", "1\n", 10**19),
        )
    },
    "a request above its limit": MINIMAL
    | {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1500m"}}},
    "a request above its limit in other units": MINIMAL
    | {"resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "1e9"}}},
    "a request above its limit as a number": MINIMAL
    | {"resources": {"requests": {"cpu": 2}, "limits": {"cpu": 1}}},
    "a request above the limit that is the default": MINIMAL
    | {"resources": {"requests": {"memory": "1Gi"}}},
    "a limit below the request that is the default": MINIMAL
    | {"resources": {"limits": {"memory": "32Mi"}}},
    "a quantity that is none": MINIMAL | {"resources": {"limits": {"memory": "1 GB"}}},
    "a quantity below nothing": MINIMAL | {"resources": {"requests": {"cpu": "-1"}}},
    "a quantity that is too long": MINIMAL | {"resources": {"requests": {"cpu": "1" * 21}}},
    "no time": MINIMAL | {"timeoutSeconds": 0},
    "too much time": MINIMAL | {"timeoutSeconds": 3601},
    "a subscription to everything": MINIMAL | {"subscriptions": [{}]},
    "an attribute that cannot be": MINIMAL | {"subscriptions": [{"Type": "a"}]},
    "data, which is no attribute": MINIMAL | {"subscriptions": [{"data": "a"}]},
    "an attribute name that is too long": MINIMAL | {"subscriptions": [{"a" * 21: "a"}]},
    "an attribute without a value": MINIMAL | {"subscriptions": [{"type": ""}]},
    "an attribute value that is too long": MINIMAL | {"subscriptions": [{"type": "a" * 1025}]},
    "an attribute value with a line feed": MINIMAL | {"subscriptions": [{"type": "a\n"}]},
    "too many attributes": MINIMAL | {"subscriptions": [{f"a{n}": "v" for n in range(101)}]},
    "too many subscriptions": MINIMAL | {"subscriptions": [{"type": "a"}] * 21},
}
