"""In the virtual machine: installs the package and looks whether the kernel's control groups bound what jobs use, also after
the service was stopped, started and upgraded while a job runs. Prints one line a check; the exit code counts those that fail."""
import io
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import time
import traceback

CONFIG = "/etc/headrace/headrace.toml"
GROUPS = pathlib.Path("/sys/fs/cgroup")
ROLE = "arn:aws:iam::000000000000:role/r"
REGION = "us-west-2"
MEMORY_MIB, TASKS = 256, 40

HOARD = "data = []\nwhile True:\n    data.append(bytearray(16 << 20))\n"
SHARED_MEMORY = "with open('/dev/shm/f', 'wb') as f:\n    for _ in range(64): f.write(bytes(16 << 20))\nprint('wrote it all')\n"
FORKS = """
import os, time
made = 0
try:
    while made < 500:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        made += 1
except OSError as error:
    print('after', made, error, flush=True)
"""
SLOW = "import time\nfor i in range({seconds}):\n    print('second', i, flush=True)\n    time.sleep(1)\nprint('to the end', flush=True)\n"


def run(*words, check=True):
    """What a command writes to its standard output."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, words))}: {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def client(service):
    import boto3
    shown = json.loads(run("runuser", "-u", "headrace", "--", "headrace", "env", "-o", "json", "--wait", "120", "--config", CONFIG))
    return boto3.client(service, endpoint_url=shown["AWS_ENDPOINT_URL"], region_name=REGION, aws_access_key_id=shown["AWS_ACCESS_KEY_ID"],
                        aws_secret_access_key=shown["AWS_SECRET_ACCESS_KEY"])


def start_job(name, program):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        entry = tarfile.TarInfo("train.py")
        entry.size = len(program)
        tar.addfile(entry, io.BytesIO(program.encode()))
    client("s3").put_object(Bucket="bucket", Key=name + ".tar.gz", Body=archive.getvalue())
    client("sagemaker").create_training_job(
        TrainingJobName=name, RoleArn=ROLE, AlgorithmSpecification={"TrainingImage": "i", "TrainingInputMode": "File"},
        HyperParameters={"sagemaker_program": json.dumps("train.py"),
                         "sagemaker_submit_directory": json.dumps(f"s3://bucket/{name}.tar.gz")},
        OutputDataConfig={"S3OutputPath": "s3://bucket/output"}, StoppingCondition={"MaxRuntimeInSeconds": 900},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 2})


def wait_for(what, seconds=300):
    deadline = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what.__name__}: not within {seconds} s"
        time.sleep(0.5)


def ended(name):
    def has_ended():
        job = client("sagemaker").describe_training_job(TrainingJobName=name)
        return job if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None
    return wait_for(has_ended)


def log(name):
    logs = client("logs")
    try:
        found = logs.describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=name + "/")["logStreams"]
    except logs.exceptions.ResourceNotFoundException:
        return []  # no job has said anything yet
    return [event["message"] for stream in found for event in logs.get_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamName=stream["logStreamName"], startFromHead=True)["events"]]


def says(name, text):
    def is_said():
        return any(text in line for line in log(name))
    wait_for(is_said)


def groups_of_jobs():
    return [path.parent for path in GROUPS.rglob("memory.max") if re.match(r"headrace-\d+-\d+-\d+-\d+$", path.parent.name)]


# --- checks, in this order ------------------------------------------------------------------------------------------------

def the_machine_has_version_2():
    assert run("stat", "-fc", "%T", GROUPS).strip() == "cgroup2fs"
    assert {"memory", "pids"} <= set((GROUPS / "cgroup.controllers").read_text().split())


def the_package_installs_and_its_service_starts():
    run("dpkg", "-i", "/payload/headrace.deb")
    path = pathlib.Path(CONFIG)
    path.write_text(path.read_text() + f'\njob-memory-mib = {MEMORY_MIB}\njob-tasks = {TASKS}\ntls-listen = "off"\n')
    run("systemctl", "restart", "headrace")
    client("s3").create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    assert run("systemctl", "is-active", "headrace").strip() == "active"
    print(run("systemctl", "show", "-P", "ControlGroup", "headrace").strip())


def its_exposure_is_below_3():
    told = run("systemd-analyze", "security", "--no-pager", "headrace", check=False).strip().splitlines()[-1]
    print(told)
    assert float(re.search(r"(\d+\.\d+)", told).group(1)) < 3


def a_job_has_a_group_of_its_own():
    start_job("group", SLOW.format(seconds=5))
    says("group", "second 0")
    print(next(line for line in log("group") if "limits:" in line))
    groups = groups_of_jobs()
    assert len(groups) == 1, groups
    print(groups[0])
    assert (groups[0] / "memory.max").read_text().strip() == str(MEMORY_MIB << 20)
    assert (groups[0] / "pids.max").read_text().strip() == str(TASKS)
    assert len((groups[0] / "cgroup.procs").read_text().split()) >= 2
    assert ended("group")["TrainingJobStatus"] == "Completed"
    limits = next(line for line in log("group") if "limits:" in line)
    assert limits.count("cgroup v2") == 2 and "ten times a second" not in limits, limits
    assert not groups_of_jobs(), "the group is left"


def memory_is_bounded_by_the_kernel():
    for name, program in (("hoard", HOARD), ("shm", SHARED_MEMORY)):
        start_job(name, program)
        job = ended(name)
        print(name, job.get("FailureReason"))
        assert job["TrainingJobStatus"] == "Failed" and "out of memory" in job["FailureReason"], job
        assert "wrote it all" not in log(name)


def tasks_are_bounded_by_the_kernel():
    start_job("forks", FORKS)
    job = ended("forks")
    lines = log("forks")
    print([line for line in lines if "after" in line or "warning" in line])
    assert any(re.match(rf"after \d+ .*Resource temporarily unavailable", line) for line in lines), (job, lines)
    assert any("more are refused" in line for line in lines), lines


def a_job_outlives_a_stop_and_a_start():
    start_job("stopped", SLOW.format(seconds=40))
    says("stopped", "second 1")
    run("systemctl", "stop", "headrace")
    assert len(groups_of_jobs()) == 1
    run("systemctl", "start", "headrace")
    says("stopped", "second 8")
    assert (groups_of_jobs()[0] / "memory.max").read_text().strip() == str(MEMORY_MIB << 20)
    start_and_end_another("beside")  # a new server makes groups beside the old job's
    job = ended("stopped")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert [line for line in log("stopped") if line.startswith("second")] == [f"second {i}" for i in range(40)]


def start_and_end_another(name):
    start_job(name, SHARED_MEMORY)
    job = ended(name)
    assert "out of memory" in job.get("FailureReason", ""), job


def an_upgrade_under_a_running_job_loses_nothing():
    start_job("upgraded", SLOW.format(seconds=60))
    says("upgraded", "second 1")
    before = run("systemctl", "show", "-P", "MainPID", "headrace")
    run("dpkg", "-i", "/payload/headrace.deb")
    after = run("systemctl", "show", "-P", "MainPID", "headrace")
    assert after.strip() not in ("0", before.strip()), after
    assert len(groups_of_jobs()) == 1
    job = ended("upgraded")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert "to the end" in log("upgraded")
    start_and_end_another("after")
    assert not groups_of_jobs()


def a_removal_leaves_no_group():
    start_job("removed", SLOW.format(seconds=300))
    says("removed", "second 1")
    run("dpkg", "-r", "headrace")
    time.sleep(2)
    assert not groups_of_jobs()
    assert not run("pgrep", "-u", "headrace", check=False)


CHECKS = [the_machine_has_version_2, the_package_installs_and_its_service_starts, its_exposure_is_below_3, a_job_has_a_group_of_its_own,
          memory_is_bounded_by_the_kernel, tasks_are_bounded_by_the_kernel, a_job_outlives_a_stop_and_a_start,
          an_upgrade_under_a_running_job_loses_nothing, a_removal_leaves_no_group]


def main():
    failed = 0
    for check in CHECKS:
        begun = time.monotonic()
        try:
            check()
            verdict = "holds"
        except Exception:
            traceback.print_exc(file=sys.stdout)
            print(run("journalctl", "--no-pager", "-n", "15", "-u", "headrace", check=False))
            verdict, failed = "FALLS SHORT", failed + 1
        print(f"{verdict}: {check.__name__} ({time.monotonic() - begun:.0f} s)", flush=True)
        if failed and check is the_package_installs_and_its_service_starts:
            break
    sys.exit(failed)


main()
