"""What a bucket is configured to: what it never was, encryption, public access, ownership; and how buckets end."""
import pytest

pytest.importorskip("boto3")
from platform_fixtures import botocore_version  # noqa: E402


@pytest.fixture(scope="module")
def s3(boto):
    return boto("s3")


@pytest.mark.parametrize("operation, code", [
    ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"), ("get_bucket_cors", "NoSuchCORSConfiguration"),
    ("get_bucket_website", "NoSuchWebsiteConfiguration"), ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
    ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"), ("get_bucket_policy", "NoSuchBucketPolicy"),
    ("get_bucket_policy_status", "NoSuchBucketPolicy"), ("get_bucket_tagging", "NoSuchTagSet")])
def test_what_was_never_configured_is_said(s3, bucket, refusal, operation, code):
    assert refusal(getattr(s3, operation), Bucket=bucket) == code


def test_empty_configurations(s3, bucket, refusal):
    assert not {"TopicConfigurations", "QueueConfigurations"} & s3.get_bucket_notification_configuration(Bucket=bucket).keys()
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    for name in ("analytics", "inventory", "metrics", "intelligent_tiering"):
        assert s3.__getattribute__(f"list_bucket_{name}_configurations")(Bucket=bucket)["IsTruncated"] is False
        assert refusal(s3.__getattribute__(f"get_bucket_{name}_configuration"), Bucket=bucket, Id="a") == "NoSuchConfiguration"
    for name in ("lifecycle", "cors", "website", "replication"):
        s3.__getattribute__(f"delete_bucket_{name}")(Bucket=bucket)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})


def test_encryption(s3, bucket):
    assert s3.put_object(Bucket=bucket, Key="plain", Body=b"x")["ServerSideEncryption"] == "AES256"
    key = "arn:aws:kms:us-west-2:000000000000:key/1"
    put = s3.put_object(Bucket=bucket, Key="kms", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    assert (put["ServerSideEncryption"], put["SSEKMSKeyId"]) == ("aws:kms", key)
    for read in (s3.get_object, s3.head_object):
        assert read(Bucket=bucket, Key="plain")["ServerSideEncryption"] == "AES256"
        assert read(Bucket=bucket, Key="kms")["SSEKMSKeyId"] == key
    copy = {"Bucket": bucket, "Key": "copy", "CopySource": f"{bucket}/kms"}
    assert s3.copy_object(**copy)["ServerSideEncryption"] == "AES256"
    assert s3.copy_object(**copy, ServerSideEncryption="aws:kms")["ServerSideEncryption"] == "aws:kms"
    same = {"Bucket": bucket, "Key": "m"}
    upload = s3.create_multipart_upload(**same, ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    assert upload["SSEKMSKeyId"] == key
    part = s3.upload_part(**same, UploadId=upload["UploadId"], PartNumber=1, Body=b"x")
    assert part["ServerSideEncryption"] == "aws:kms"
    done = s3.complete_multipart_upload(**same, UploadId=upload["UploadId"],
                                        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    assert done["SSEKMSKeyId"] == key


def test_a_buckets_encryption(s3, bucket):
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    wanted = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k"}, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [wanted]})
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"] == [wanted]
    put = s3.put_object(Bucket=bucket, Key="k")
    assert (put["SSEKMSKeyId"], put["BucketKeyEnabled"]) == ("k", True)
    s3.delete_bucket_encryption(Bucket=bucket)
    assert s3.put_object(Bucket=bucket, Key="k")["ServerSideEncryption"] == "AES256"


def test_public_access_and_ownership(s3, bucket, refusal):
    all_of_it = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == all_of_it
    some = {**all_of_it, "IgnorePublicAcls": False}
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=some)
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == some
    assert refusal(s3.put_object, Bucket=bucket, Key="k", ACL="public-read") == "AccessDenied"
    s3.delete_public_access_block(Bucket=bucket)
    assert refusal(s3.get_public_access_block, Bucket=bucket) == "NoSuchPublicAccessBlockConfiguration"

    rules = lambda: s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert rules() == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    assert rules() == [{"ObjectOwnership": "ObjectWriter"}]
    s3.delete_bucket_ownership_controls(Bucket=bucket)
    assert refusal(s3.get_bucket_ownership_controls, Bucket=bucket) == "OwnershipControlsNotFoundError"


def test_an_unfinished_upload_does_not_hold_a_bucket(s3, refusal):
    s3.create_bucket(Bucket="short-lived", CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    same = {"Bucket": "short-lived", "Key": "k"}
    upload = s3.create_multipart_upload(**same)["UploadId"]
    s3.upload_part(**same, UploadId=upload, PartNumber=1, Body=b"x" * 100_000)
    s3.delete_bucket(Bucket="short-lived")
    assert refusal(s3.list_parts, **same, UploadId=upload) == "NoSuchBucket"


def test_tags_of_aws_are_its_own(s3, bucket, refusal):
    tags = {"TagSet": [{"Key": "aws:x", "Value": "1"}]}
    s3.put_object(Bucket=bucket, Key="k")
    assert refusal(s3.put_bucket_tagging, Bucket=bucket, Tagging=tags) == "InvalidTag"
    assert refusal(s3.put_object_tagging, Bucket=bucket, Key="k", Tagging=tags) == "InvalidTag"
    assert refusal(s3.put_object, Bucket=bucket, Key="k", Tagging="aws:x=1") == "InvalidTag"
