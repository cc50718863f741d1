"""Typed requests of the SDK in C++ (headrace/operations) against a running server; and that there is one for every operation."""
import re
import subprocess

import pytest

from platform_fixtures import BIN, ROOT

SECTIONS = {"SageMaker": "sagemaker", "CloudWatch Logs": "logs", "CloudWatch": "cloudwatch", "STS": "sts", "IAM": "iam"}


@pytest.mark.parametrize("section", SECTIONS)
def test_every_operation_that_is_here_has_a_request(section):
    text = (ROOT / "docs/api-coverage.md").read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([A-Z][A-Za-z, ]*) \| (?:done|partial) \|", text, re.M)
    header = (ROOT / f"include/headrace/operations/{SECTIONS[section]}.h").read_text()
    assert set(re.findall(r'kOperation = "(\w+)"', header)) == {name for names in rows for name in names.split(", ")}


def test_replies_say_what_the_server_says(server, boto, bucket):
    done = subprocess.run([BIN / "sdk_operations", bucket], capture_output=True, text=True, env=server.client_environment(), timeout=120)
    assert done.returncode == 0, done.stderr
    assert not boto("sagemaker").list_models(NameContains="typed")["Models"], "it deletes what it has made"
