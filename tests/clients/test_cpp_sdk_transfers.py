"""The SDK in C++ against a real server: files of many parts there and back, hostile keys, TLS, servers that do not answer."""
import json
import os
import pathlib
import socket
import subprocess

import pytest

from platform_fixtures import BIN, HEADRACE


@pytest.fixture
def tool(server):
    """tool("upload", path, uri): what the program printed, or with check=False the finished process."""
    def run(*words, check=True, **environment):
        done = subprocess.run([BIN / "sdk_tool", *map(str, words)], capture_output=True, text=True, timeout=60,
                              env=server.client_environment(**environment))
        assert not check or done.returncode == 0, done.stderr
        return done.stdout.splitlines() if check else done
    return run


@pytest.fixture
def tree(tmp_path):
    """Files of no byte, of a few, and of several parts."""
    files = {"empty": b"", "a b/ü+c.txt": b"text", "deep/er/large.bin": os.urandom((11 << 20) + 7), "deep/exact.bin": os.urandom(10 << 20)}
    for name, content in files.items():
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_bytes(content)
    return tmp_path / "tree", files


def test_a_tree_goes_up_and_comes_down(tool, tree, boto, bucket, tmp_path):
    directory, files = tree
    assert tool("upload", directory, f"s3://{bucket}/some/prefix") == [f"s3://{bucket}/some/prefix"]
    s3 = boto("s3")
    for name, content in files.items():
        object = s3.get_object(Bucket=bucket, Key=f"some/prefix/{name}", ChecksumMode="ENABLED")
        assert object["Body"].read() == content
        assert "ChecksumCRC32" in object
    large = s3.head_object(Bucket=bucket, Key="some/prefix/deep/er/large.bin")
    assert large["ETag"].endswith('-3"')
    assert sorted(tool("list", f"s3://{bucket}/some/")) == sorted(f"s3://{bucket}/some/prefix/{name}" for name in files)
    s3.put_object(Bucket=bucket, Key="some/prefixes/other", Body=b"not below it")
    tool("download", f"s3://{bucket}/some/prefix", tmp_path / "back")
    found = {str(path.relative_to(tmp_path / "back")): path.read_bytes() for path in (tmp_path / "back").rglob("*") if path.is_file()}
    assert found == files


def test_what_boto_uploads_in_parts_comes_down(tool, boto, bucket, tmp_path):
    content = os.urandom(20 << 20)
    (tmp_path / "file").write_bytes(content)
    boto("s3").upload_file(str(tmp_path / "file"), bucket, "key")
    tool("download", f"s3://{bucket}/key", tmp_path / "back")
    assert (tmp_path / "back/key").read_bytes() == content


@pytest.mark.parametrize("key", ["x/../../escaped", "x//a", "x/./b", "x/a/../../../c"])
def test_a_key_leads_out_of_no_directory(tool, boto, bucket, tmp_path, key):
    boto("s3").put_object(Bucket=bucket, Key=key, Body=b"1")
    done = tool("download", f"s3://{bucket}/x/", tmp_path / "in/here", check=False)
    inside = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(path.is_relative_to(tmp_path / "in/here") for path in inside)
    assert done.returncode == 0 or "no path below a directory" in done.stderr


def test_what_is_not_there_is_named(tool, bucket, tmp_path):
    assert "no such file" in tool("upload", tmp_path / "none", f"s3://{bucket}/x", check=False).stderr
    assert "no object" in tool("download", f"s3://{bucket}/none", tmp_path, check=False).stderr
    assert "NoSuchBucket" in tool("upload", __file__, "s3://no-such-bucket-here/x", check=False).stderr
    assert "wanted s3://BUCKET" in tool("list", "http://x/y", check=False).stderr


def test_calls_of_every_protocol(tool, boto):
    assert json.loads(tool("call", "sagemaker", "ListModels", "")[0]) == {"Models": []}
    assert json.loads(tool("call", "sts", "GetCallerIdentity", "{}")[0])["Account"] == boto("sts").get_caller_identity()["Account"]
    assert "Metrics" in json.loads(tool("call", "cloudwatch", "ListMetrics", '{"Namespace": "none"}')[0])
    refused = tool("call", "iam", "GetRole", '{"RoleName": "nobody"}', check=False)
    assert refused.stdout.split() == ["NoSuchEntity", "404", "1"]
    refused = tool("call", "sagemaker", "DescribeEndpoint", '{"EndpointName": "none"}', check=False)
    assert refused.stdout.split() == ["ValidationException", "400", "1"]
    refused = tool("call", "sts", "GetCallerIdentity", "", check=False, AWS_SECRET_ACCESS_KEY="wrong")
    assert refused.stdout.split()[:2] == ["SignatureDoesNotMatch", "403"]


def test_tls_with_an_authority_of_ones_own(tool, server):
    secure = json.loads(subprocess.run([HEADRACE, "env", "--tls", "--data-dir", server.directory, "-o", "json"], check=True, capture_output=True,
                                       text=True).stdout)
    assert secure["AWS_ENDPOINT_URL"].startswith("https://") and pathlib.Path(secure["AWS_CA_BUNDLE"]).exists()
    assert json.loads(tool("call", "sagemaker", "ListModels", "", **secure)[0]) == {"Models": []}
    refused = tool("call", "sagemaker", "ListModels", "", check=False, **{**secure, "AWS_CA_BUNDLE": ""})
    assert refused.stdout.split() == ["ConnectionError", "0", "1"] and "certificate" in refused.stderr


def test_a_server_that_does_not_answer(tool):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        done = tool("call", "sagemaker", "ListModels", "", "200", check=False, AWS_ENDPOINT_URL=url)
    assert done.stdout.split() == ["Timeout", "0", "1"]
    done = tool("call", "sagemaker", "ListModels", "", check=False, AWS_ENDPOINT_URL=url)
    assert done.stdout.split() == ["ConnectionError", "0", "3"]
