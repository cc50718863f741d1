"""Training jobs of several instances, for tests that drive a platform from outside."""
import io
import shutil
import tarfile
import time

import pytest

import jobs

GROUP = "/aws/sagemaker/TrainingJobs"
needs_mpi = pytest.mark.skipif(shutil.which("mpirun") is None, reason="Open MPI (openmpi-bin) is not installed")

MPI_PROGRAM = r"""
#include <mpi.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0, size = 0, sum = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  const int mine = rank + 1;
  MPI_Allreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  std::printf("rank %d of %d on %s loss: %d.5 - shared %d\n", rank, size, std::getenv("SM_CURRENT_HOST"), sum,
              std::getenv("HEADRACE_SHARED_MEMORY_DIR") != nullptr);
  std::fflush(stdout);
  if (rank == 0) {
    std::FILE* model = std::fopen("/opt/ml/model/weights", "w");
    std::fprintf(model, "%d", sum);
    std::fclose(model);
  }
  MPI_Finalize();
}
"""


class Account:
    def __init__(self, boto, bucket):
        self.s3, self.sagemaker, self.logs = boto("s3"), boto("sagemaker"), boto("logs")
        self.cloudwatch, self.bucket = boto("cloudwatch"), bucket

    def start(self, files, program, hosts=2, **more):
        more.setdefault("ResourceConfig", {"InstanceType": "ml.m5.large", "InstanceCount": hosts, "VolumeSizeInGB": 1})
        return jobs.create(self.sagemaker, self.bucket, jobs.upload_source(self.s3, self.bucket, files), program, **more)

    def mpi(self, files, program, hyperparameters=None, **more):
        return self.start(files, program, hyperparameters={"sagemaker_mpi_enabled": True,
                          "sagemaker_mpi_num_of_processes_per_host": 1, **(hyperparameters or {})}, **more)

    def end(self, name, seconds=60):
        return jobs.wait(self.sagemaker, name, seconds)

    def log(self, name, host):
        """The lines of one host's stream."""
        streams = self.logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{name}/{host}-")["logStreams"]
        assert len(streams) == 1, streams
        events = self.logs.get_log_events(logGroupName=GROUP, logStreamName=streams[0]["logStreamName"], startFromHead=True)
        return [event["message"] for event in events["events"]]

    def wait_for_line(self, name, host, text, seconds=30):
        deadline = time.monotonic() + seconds
        while True:
            job = self.sagemaker.describe_training_job(TrainingJobName=name)
            try:
                if any(text in line for line in self.log(name, host)):
                    return
            except (AssertionError, self.logs.exceptions.ResourceNotFoundException):
                pass
            assert job["TrainingJobStatus"] == "InProgress", job.get("FailureReason")
            assert time.monotonic() < deadline, self.log(name, host)
            time.sleep(0.05)

    def archive(self, name, which="model"):
        body = self.s3.get_object(Bucket=self.bucket, Key=f"output/{name}/output/{which}.tar.gz")["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body)) as archive:
            return {member.name: archive.extractfile(member).read().decode() for member in archive if member.isreg()}
