from pathlib import Path

import pytest
from functions_framework import create_app


@pytest.fixture
def client():
    return create_app("handler", str(Path(__file__).with_name("main.py"))).test_client()


def test_it_greets_whoever_the_query_names(client):
    response = client.get("/?name=Ada")
    assert response.status_code == 200
    assert response.get_json() == {"message": "Hello, Ada!"}


def test_it_greets_the_world_if_the_query_names_nobody(client):
    assert client.get("/").get_json() == {"message": "Hello, World!"}
