"""Uploads from a form: boto3's generate_presigned_post, and forms by hand."""
import base64
import datetime
import hashlib
import hmac
import http.client
import json
import urllib.parse

import pytest

pytest.importorskip("boto3")
from botocore.config import Config  # noqa: E402
from s3_signing import Signer, code  # noqa: E402


@pytest.fixture(scope="module")
def s3(boto):
    return boto("s3")


def send(url, fields, file, filename="f.txt", headers=()):
    """Returns status, headers, body."""
    boundary = "----form"
    pieces = []
    for name, value in fields.items():
        pieces.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    pieces.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\nContent-Type: text/plain\r\n\r\n'.encode())
    body = b"".join(pieces) + file + f"\r\n--{boundary}--\r\n".encode()
    address = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=30)
    connection.request("POST", address.path or "/", body=body, headers={"Content-Type": f"multipart/form-data; boundary={boundary}", **dict(headers)})
    answer = connection.getresponse()
    found = answer.status, dict((name.lower(), value) for name, value in answer.getheaders()), answer.read()
    connection.close()
    return found


@pytest.mark.parametrize("signature", ["s3", "s3v4"])
def test_presigned_posts(boto, s3, bucket, signature):
    post = boto("s3", config=Config(signature_version=signature, s3={"addressing_style": "path"})).generate_presigned_post(bucket, "a/${filename}")
    file = b"hello\r\n--" + bytes(range(256)) * 5000
    status, headers, body = send(post["url"], post["fields"], file, "x y.txt")
    assert (status, body) == (204, b"")
    assert headers["etag"] == f'"{hashlib.md5(file).hexdigest()}"' and headers["location"].endswith("/a/x%20y.txt")
    assert s3.get_object(Bucket=bucket, Key="a/x y.txt")["Body"].read() == file


@pytest.mark.parametrize("wanted, status", [("200", 200), ("201", 201), ("204", 204), ("404", 204)])
def test_statuses(s3, bucket, wanted, status):
    fields = {"success_action_status": wanted, "acl": "private", "Content-Type": "a/b", "x-amz-meta-colour": "blue",
              "tagging": "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"}
    post = s3.generate_presigned_post(bucket, "k", Fields=fields, Conditions=[{name: value} for name, value in fields.items()])
    found, _, body = send(post["url"], post["fields"], b"x")
    assert found == status
    assert (b"<PostResponse>" in body and b"<Key>k</Key>" in body) == (status == 201)
    got = s3.get_object(Bucket=bucket, Key="k")
    assert (got["ContentType"], got["Metadata"], got["TagCount"]) == ("a/b", {"colour": "blue"}, 1)


def test_redirects(s3, bucket):
    fields = {"success_action_redirect": "http://example.com/done?x=1"}
    post = s3.generate_presigned_post(bucket, "k", Fields=fields, Conditions=[fields])
    status, headers, _ = send(post["url"], post["fields"], b"x")
    assert status == 303
    etag = urllib.parse.quote(f'"{hashlib.md5(b"x").hexdigest()}"', safe="")
    assert headers["location"] == f"http://example.com/done?x=1&bucket={bucket}&key=k&etag={etag}"


def test_policies_hold(s3, bucket):
    post = s3.generate_presigned_post(bucket, "user/${filename}", Conditions=[["content-length-range", 2, 5]])
    assert send(post["url"], post["fields"], b"12345")[0] == 204
    assert code(send(post["url"], post["fields"], b"123456")[2]) == "EntityTooLarge"
    assert code(send(post["url"], post["fields"], b"1")[2]) == "EntityTooSmall"
    elsewhere = {**post["fields"], "key": "other/k"}
    assert code(send(post["url"], elsewhere, b"123")[2]) == "AccessDenied"
    assert code(send(post["url"], {**post["fields"], "acl": "public-read"}, b"123")[2]) == "AccessDenied"
    forged = {**post["fields"], "policy": base64.b64encode(b'{"expiration":"2099-01-01T00:00:00Z","conditions":[]}').decode()}
    status, _, body = send(post["url"], forged, b"123")
    assert (status, code(body)) == (403, "SignatureDoesNotMatch")
    unsigned = {name: value for name, value in post["fields"].items() if name in ("key", "policy")}
    assert send(post["url"], unsigned, b"123")[0] == 403
    # What nobody signed, in the request's own header, says nothing.
    assert send(post["url"], post["fields"], b"123", headers=[("x-amz-meta-evil", "1")])[0] == 204
    assert s3.head_object(Bucket=bucket, Key="user/f.txt")["Metadata"] == {}


def test_policies_expire_and_name_their_bucket(server, s3, bucket):
    signer = Signer(server.environment)
    day = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%d")

    def form(expiration, **more):
        fields = {"key": "k", "x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-date": f"{day}T000000Z",
                  "x-amz-credential": f"{signer.key}/{day}/{signer.region}/s3/aws4_request"}
        conditions = [{name: value} for name, value in {**fields, **more}.items()]
        policy = base64.b64encode(json.dumps({"expiration": expiration, "conditions": conditions}).encode()).decode()
        signature = hmac.new(signer.signing_key(day), policy.encode(), hashlib.sha256).hexdigest()
        return {**fields, "policy": policy, "x-amz-signature": signature}

    url = f"{server.url}/{bucket}"
    assert send(url, form("2099-01-01T00:00:00Z", bucket=bucket), b"x")[0] == 204
    assert b"Policy expired" in send(url, form("2020-01-01T00:00:00Z", bucket=bucket), b"x")[2]
    assert b"Policy Condition failed" in send(url, form("2099-01-01T00:00:00Z", bucket="other"), b"x")[2]


def test_large_files(s3, bucket):
    file = bytes(range(256)) * (40 << 10)
    post = s3.generate_presigned_post(bucket, "large")
    assert send(post["url"], post["fields"], file)[0] == 204
    assert hashlib.md5(s3.get_object(Bucket=bucket, Key="large")["Body"].read()).digest() == hashlib.md5(file).digest()


def test_forms_that_are_none(server, bucket):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc, timeout=30)
    connection.request("POST", f"/{bucket}", body=b"nothing", headers={"Content-Type": "multipart/form-data; boundary=x"})
    answer = connection.getresponse()
    assert (answer.status, code(answer.read())) == (400, "MalformedPOSTRequest")
    connection.close()
