"""The fixtures of tests that drive a running platform from outside; see tests/platform_fixtures.py."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from platform_fixtures import *  # noqa: E402,F401,F403

import random  # noqa: E402

import pytest  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "parity(feature, ..., sdk=N): what of a SageMaker SDK the test runs; scripts/parity reads it")


@pytest.fixture
def bucket(boto, boto_resource):
    """A bucket of the test's own, emptied and deleted afterwards; unfinished uploads go with it."""
    s3 = boto("s3")
    name = f"test-{random.randrange(10 ** 12)}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    yield name
    resource = boto_resource("s3").Bucket(name)
    resource.object_versions.delete()
    resource.delete()


@pytest.fixture
def refusal():
    """refusal(call, **arguments): the code of the error that the call must end with."""
    from botocore.exceptions import ClientError

    def code_of(call, **arguments):
        with pytest.raises(ClientError) as refused:
            call(**arguments)
        return refused.value.response["Error"]["Code"]
    return code_of
