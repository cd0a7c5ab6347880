"""Makes buckets on an S3-compatible server that are not there yet."""

from __future__ import annotations

import sys

import boto3
from botocore.config import Config


def main(endpoint: str, *buckets: str) -> None:
    """Make each bucket; credentials come from the environment, as boto3 reads it."""
    path_style = Config(s3={"addressing_style": "path"})
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=path_style)
    there = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
    for bucket in buckets:
        if bucket not in there:
            client.create_bucket(Bucket=bucket)


if __name__ == "__main__":
    main(*sys.argv[1:])
