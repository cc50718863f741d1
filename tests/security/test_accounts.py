"""Principals are strangers to each other: what one account names of another's is refused or is not there."""
import json

import pytest


@pytest.fixture
def stranger(server, boto):
    """stranger("s3"): a client of another account."""
    key = json.loads(server.headrace("keys", "create", "stranger", "--data-dir", server.directory, "-o", "json").stdout)
    yield lambda service: boto(service, aws_access_key_id=key["access_key_id"], aws_secret_access_key=key["secret_access_key"])
    server.headrace("keys", "revoke", "stranger", "--data-dir", server.directory)


def test_a_private_object_is_denied_to_another_account(boto, stranger):
    s3 = boto("s3")
    s3.create_bucket(Bucket="private-things", CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    s3.put_object(Bucket="private-things", Key="secret", Body=b"secret")
    theirs = stranger("s3")
    for attempt in (lambda: theirs.get_object(Bucket="private-things", Key="secret"),
                    lambda: theirs.put_object(Bucket="private-things", Key="secret", Body=b"mine"),
                    lambda: theirs.delete_object(Bucket="private-things", Key="secret"),
                    lambda: theirs.list_objects_v2(Bucket="private-things")):
        with pytest.raises(theirs.exceptions.ClientError) as refused:
            attempt()
        assert refused.value.response["Error"]["Code"] == "AccessDenied"
    assert s3.get_object(Bucket="private-things", Key="secret")["Body"].read() == b"secret"
