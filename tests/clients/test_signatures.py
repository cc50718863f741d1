"""Signatures, protocols and identity as boto3 and the AWS CLI speak them, over HTTP and over TLS."""
import base64
import hashlib
import json
import os
import ssl
import time
import urllib.error
import urllib.request

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from platform_fixtures import botocore_version

KEY = "a b/c+d~é/(x)*!'=&?.txt"
ROLE = "AmazonSageMaker-ExecutionRole-headrace"
TRUST = '{"Version": "2012-10-17", "Statement": []}'


@pytest.fixture(scope="module", params=["http", "https"])
def endpoint(request, server):
    if request.param == "http":
        yield server.url
        return
    # The variables of `headrace env` name the plain endpoint, for which a client needs no certificate.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_CA_BUNDLE", str(server.directory / "tls/bundle.pem"))
        yield json.loads((server.directory / "server.json").read_text())["tls_endpoint"]


@pytest.fixture
def client(endpoint):
    """client("s3"): one attempt, of the endpoint under test; more arguments as boto3.client and Config take them."""
    def make(service, credentials=None, **config):
        return boto3.client(service, endpoint_url=endpoint, config=Config(retries={"total_max_attempts": 1}, **config), **(credentials or {}))
    return make


@pytest.fixture
def bucket(client):
    s3 = client("s3")
    name = f"signatures-{time.time_ns()}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    yield name
    for found in s3.list_objects_v2(Bucket=name).get("Contents", []):
        s3.delete_object(Bucket=name, Key=found["Key"])
    s3.delete_bucket(Bucket=name)


def keys(identifier, secret, token=None):
    return {"aws_access_key_id": identifier, "aws_secret_access_key": secret, "aws_session_token": token}


def refusal(call, *arguments, **more):
    with pytest.raises(ClientError) as refused:
        call(*arguments, **more)
    answer = refused.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def fetch(url, method="GET", body=None, headers=None):
    context = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"]) if url.startswith("https") else None
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    return urllib.request.urlopen(request, context=context, timeout=20)


def test_caller_is_a_session_of_the_execution_role(client):
    identity = client("sts").get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{identity['Account']}:assumed-role/{ROLE}/default"
    assert client("iam").get_role(RoleName=ROLE)["Role"]["Arn"] == f"arn:aws:iam::{identity['Account']}:role/service-role/{ROLE}"


def test_temporary_credentials_act_for_the_same_account(client):
    sts = client("sts")
    account = sts.get_caller_identity()["Account"]
    assumed = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/service-role/{ROLE}", RoleSessionName="job-1", DurationSeconds=900)
    given = assumed["Credentials"]
    session = keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert client("sts", session).get_caller_identity()["Arn"] == assumed["AssumedRoleUser"]["Arn"]
    client("s3", session).list_buckets()
    assert refusal(client("s3", {**session, "aws_session_token": "other"}).list_buckets) == ("InvalidToken", 400)
    assert refusal(client("sts", {**session, "aws_session_token": None}).get_caller_identity) == ("InvalidClientTokenId", 403)
    assert refusal(sts.assume_role, RoleArn="arn:aws:iam::999999999999:role/x", RoleSessionName="s1") == ("AccessDenied", 403)
    assert sts.get_session_token()["Credentials"]["Expiration"].timestamp() > time.time() + 3600


def test_roles(client):
    iam = client("iam")
    name = f"Role{time.time_ns()}"
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]
    assert made["AssumeRolePolicyDocument"] == json.loads(TRUST)
    assert name in [role["RoleName"] for role in iam.list_roles()["Roles"]]
    policy = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
    iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == [{"PolicyName": "AmazonSageMakerFullAccess", "PolicyArn": policy}]
    assert refusal(iam.delete_role, RoleName=name) == ("DeleteConflict", 409)
    iam.detach_role_policy(RoleName=name, PolicyArn=policy)
    iam.delete_role(RoleName=name)
    assert refusal(iam.get_role, RoleName=name) == ("NoSuchEntity", 404)


def test_wrong_and_unknown_keys(client):
    wrong, unknown = keys(os.environ["AWS_ACCESS_KEY_ID"], "wrong"), keys("AKIANOBODY", "wrong")
    assert refusal(client("sts", wrong).get_caller_identity) == ("SignatureDoesNotMatch", 403)
    assert refusal(client("sts", unknown).get_caller_identity) == ("InvalidClientTokenId", 403)
    assert refusal(client("s3", wrong).list_buckets) == ("SignatureDoesNotMatch", 403)
    assert refusal(client("s3", unknown).list_buckets) == ("InvalidAccessKeyId", 403)
    assert refusal(client("s3", signature_version=UNSIGNED).list_objects_v2, Bucket="b") == ("AccessDenied", 403)


def test_what_is_not_here_says_so(client):
    with pytest.raises(ClientError, match="not implemented by Headrace") as refused:
        client("iam").list_users()
    assert refused.value.response["Error"]["Code"] == "InvalidAction"
    assert refusal(client("ecr").describe_repositories)[0] == "UnknownOperationException"


@pytest.mark.parametrize("algorithm", [None, "CRC32", "SHA1", "SHA256"])
def test_uploads_are_what_was_sent(client, bucket, algorithm):
    s3, body = client("s3"), os.urandom(3_000_000)
    more = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    put = s3.put_object(Bucket=bucket, Key=KEY, Body=body, ContentEncoding="gzip", **more)
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    got = s3.get_object(Bucket=bucket, Key=KEY)
    if botocore_version() >= (1, 36):  # older ones send no checksum by themselves, and forget "gzip" when they send one over TLS
        assert put[f"Checksum{algorithm or 'CRC32'}"]
        assert got["ContentEncoding"] == "gzip"
    assert got["Body"].read() == body
    assert [found["Key"] for found in s3.list_objects_v2(Bucket=bucket, Prefix="a b/c+")["Contents"]] == [KEY]


def test_wrong_digests_store_nothing(client, bucket):
    s3 = client("s3")
    digest = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    assert refusal(s3.put_object, Bucket=bucket, Key="k", Body=b"body", ContentMD5=digest) == ("BadDigest", 400)
    assert refusal(s3.put_object, Bucket=bucket, Key="k", Body=b"body", ChecksumCRC32="AAAAAA==") == ("BadDigest", 400)
    assert refusal(s3.head_object, Bucket=bucket, Key="k") == ("404", 404)


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_urls(client, bucket, version):
    s3, body = client("s3", signature_version=version), b"hello"
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": KEY, "ContentType": "text/plain"})
    assert fetch(put, "PUT", body, {"Content-Type": "text/plain"}).status == 200
    get = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": KEY, "ResponseContentType": "text/x"})
    answer = fetch(get)
    assert answer.read() == body and answer.headers["Content-Type"] == "text/x"
    if version == "s3v4" or botocore_version() >= (1, 31):  # older ones sign "?list-type=2" with version 2, which is no sub-resource
        assert fetch(s3.generate_presigned_url("list_objects_v2", Params={"Bucket": bucket})).status == 200
    for url, method in ((get, "DELETE"), (get.replace("text", "test"), "GET")):
        with pytest.raises(urllib.error.HTTPError) as refused:
            fetch(url, method)
        assert b"<Code>SignatureDoesNotMatch</Code>" in refused.value.read()
    short = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": KEY}, ExpiresIn=1)
    time.sleep(2.1)
    with pytest.raises(urllib.error.HTTPError) as refused:
        fetch(short)
    assert refused.value.code == 403 and b"Request has expired" in refused.value.read()


def test_the_command_line(aws, server):
    assert json.loads(aws("sts", "get-caller-identity"))["Account"]
    assert json.loads(aws("iam", "get-role", "--role-name", ROLE))["Role"]["RoleName"] == ROLE
    failed = aws("iam", "get-role", "--role-name", "Nobody", check=False)
    assert failed.returncode != 0 and "NoSuchEntity" in failed.stderr
