"""The objects of config/overlays/dev."""

from __future__ import annotations

from pathlib import Path

from lambda_embedded.configuration.kustomization import read_kustomization

REPOSITORY = Path(__file__).parents[2]


OBJECTS = read_kustomization(REPOSITORY / "config" / "overlays" / "dev")
