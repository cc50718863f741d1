"""Archives that tenants bring and leave: bombs, links, special files, wrong checksums, holes; and those of honest tools."""
import gzip
import io
import tarfile
import uuid

import pytest

from isolation import Tenant, jobs


@pytest.fixture(scope="module")
def mallory(server):
    return Tenant(server, "archives-" + uuid.uuid4().hex[:8])


def entry(name, data=b"", kind=tarfile.REGTYPE, link="", mode=0o755):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.size = kind, link, mode, len(data)
    return info, data


def tar(*entries):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


RUN = entry("run.sh", b"echo ran; cat extra 2>/dev/null")


def run(tenant, archive, program="run.sh"):
    key = uuid.uuid4().hex
    tenant.client("s3").put_object(Bucket=tenant.bucket, Key=key, Body=archive)
    name = jobs.create(tenant.client("sagemaker"), tenant.bucket, f"s3://{tenant.bucket}/{key}", program)
    return jobs.wait(tenant.client("sagemaker"), name), jobs.log_lines(tenant.client("logs"), name)


@pytest.mark.parametrize("top", ["/", "./", "."])
def test_the_top_directory_may_be_the_first_entry(mallory, top):
    """As the SageMaker SDK's repacking and tar -C write it."""
    job, lines = run(mallory, gzip.compress(tar(entry(top, kind=tarfile.DIRTYPE), entry("./run.sh", b"echo ran"))))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert "ran" in lines


def test_several_gzip_members_are_one_archive(mallory):
    whole = tar(RUN, entry("extra", b"the second member's\n"))
    job, lines = run(mallory, gzip.compress(whole[:700]) + gzip.compress(whole[700:]))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert "the second member's" in lines


@pytest.mark.parametrize("change", ["checksum", "length", "cut", "flipped"])
def test_a_damaged_archive_is_no_archive(mallory, change):
    packed = bytearray(gzip.compress(tar(RUN)))
    if change == "cut":
        packed = packed[:-9]
    else:
        packed[{"checksum": -8, "length": -2, "flipped": len(packed) // 2}[change]] ^= 1
    job, lines = run(mallory, bytes(packed))
    assert job["TrainingJobStatus"] == "Failed" and job["FailureReason"].startswith("ClientError: ")
    assert "ran" not in lines


@pytest.mark.parametrize("entries", [
    [entry("../out", b"x")], [entry("/tmp/out", b"x")], [entry("a/../../out", b"x")],
    [entry("link", kind=tarfile.SYMTYPE, link="/etc")],
    [entry("link", kind=tarfile.SYMTYPE, link="../..")],
    [entry("here", kind=tarfile.SYMTYPE, link="."), entry("link", kind=tarfile.SYMTYPE, link="here/../../secret")],
    [entry("link", kind=tarfile.SYMTYPE, link="."), entry("link/file", b"x")],
    [entry("hard", kind=tarfile.LNKTYPE, link="/etc/passwd")],
    [entry("hard", kind=tarfile.LNKTYPE, link="../../job.json")],
    [entry("d/e/up", kind=tarfile.SYMTYPE, link="../.."), entry("hard", kind=tarfile.LNKTYPE, link="d/e/up")],
    [entry("fifo", kind=tarfile.FIFOTYPE)], [entry("device", kind=tarfile.CHRTYPE)],
    [entry("d/" * 200 + "file", b"x")],
], ids=lambda entries: entries[-1][0].name[:20] + str(len(entries)))
def test_an_archive_that_leads_outside_is_refused(mallory, entries):
    job, lines = run(mallory, gzip.compress(tar(RUN, *entries)))
    assert job["TrainingJobStatus"] == "Failed" and "ran" not in lines
    assert job["FailureReason"].startswith("ClientError: sagemaker_submit_directory")


def test_bombs_are_noticed_by_their_sizes(mallory):
    zeros = tar(RUN, entry("zeros", bytes(300 << 20)))
    job, _ = run(mallory, gzip.compress(zeros, 9))
    assert job["TrainingJobStatus"] == "Failed" and "times its size" in job["FailureReason"]
    # More than the job's volume (1 GiB), told by the header alone.
    header = tarfile.TarInfo("huge")
    header.size = 8 << 30
    job, _ = run(mallory, tar(RUN)[:1024] + header.tobuf() + bytes(4096))
    assert job["TrainingJobStatus"] == "Failed" and "unpacks to more than" in job["FailureReason"]


def test_holes_are_packed_as_holes(mallory):
    """4 TiB of nothing take no time and no room, and come back as they were."""
    job, lines = mallory.shell("cd /opt/ml/model && truncate -s 4T hole && printf words > begin && truncate -s 1G begin")
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), lines)
    body = mallory.client("s3").get_object(
        Bucket=mallory.bucket, Key=f"output/{job['TrainingJobName']}/output/model.tar.gz")["Body"].read()
    assert len(body) < 1 << 20
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        assert archive.getmember("hole").size == 4 << 40
        begin = archive.extractfile("begin")
        assert begin.read(10) == b"words\0\0\0\0\0"


def test_holes_are_not_filled_to_be_stored(mallory):
    """Without an archive every byte would be an object's: more than the volume holds is refused, and so are checkpoints."""
    job, _ = mallory.shell("truncate -s 4T /opt/ml/model/hole", OutputDataConfig={
        "S3OutputPath": f"s3://{mallory.bucket}/out", "CompressionType": "NONE"})
    assert job["TrainingJobStatus"] == "Failed" and "VolumeSizeInGB" in job["FailureReason"]
    job, _ = mallory.shell("truncate -s 4T /opt/ml/checkpoints/hole",
                           CheckpointConfig={"S3Uri": f"s3://{mallory.bucket}/{uuid.uuid4().hex}"})
    assert job["TrainingJobStatus"] == "Failed" and "VolumeSizeInGB" in job["FailureReason"]
