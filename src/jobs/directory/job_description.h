// JobDescription: job.json, all that the supervisor of one host knows about its job. Fields and their meaning:
// docs/formats/job-directory.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "jobs/directory/input_channel.h"
#include "jobs/limits/moment.h"
#include "jobs/request/training_request.h"

namespace headrace::jobs {

struct JobDescription {
  std::string job_name, job_arn, region;
  int attempt = 0;
  TrainingRequest request;
  std::string current_host = "algo-1";
  std::vector<std::string> hosts = {"algo-1"};
  std::vector<InputChannel> channels;

  struct Source {
    std::string blob, uri;
  };
  std::optional<Source> source;  // sagemaker_submit_directory, when it is in S3

  struct Checkpoints {
    std::string path;
    std::vector<InputObject> objects;
  };
  std::optional<Checkpoints> checkpoints;

  std::map<std::string, std::string> environment;  // holds secrets
  std::vector<int> ports;                          // of the job, for its hosts' rendezvous (runtime/rendezvous.h)
  std::string shared_memory;                       // a directory in memory that all hosts of the job have; "": none

  std::vector<int> cpus;      // cores the program may use; empty: all
  uint64_t memory_bytes = 0;  // 0: no limit; so in all of these
  uint64_t tasks = 0;         // processes and threads at once
  uint64_t disk_bytes = 0;    // that its files may take
  uint64_t log_bytes = 0;     // of its log that are kept
  Moment deadline;            // none: the request's MaxRuntimeInSeconds from now
  int stop_grace_seconds = 120;
  int resource_sample_millis = 5000;
  int64_t heartbeat_millis = 60'000;  // of silence until the log tells that the job lives; 0: never

  bool bubblewrap = true;
  std::string no_bubblewrap_reason;
  std::vector<std::string> read_only;  // further paths the job may read
  std::vector<std::string> hidden;     // paths it must not see

  struct Python {
    std::string program;                // "" without one
    std::string version;                // "3.11.2"
    std::string stamp;                  // changes when packages are installed into it
    std::vector<std::string> places;    // where its packages lie
    std::string described;              // for the log: which it is, and what it has
    std::string remark;                 // what is different from what the image asks for; "" nothing
    std::vector<std::string> paths;     // that it needs to be seen, also where they lie in the middle of what is hidden
    std::vector<std::string> packages;  // directories of our own packages that it does not have itself
  };
  Python python;
  std::string compiler;
  std::string include_dir, library_dir;  // headers and libheadrace of this installation
  std::string cmake_dir;                 // where find_package(Headrace) looks
  std::string mpi_include_dir;           // holds mpi.h, where there is one
  std::string init_program;              // the sandbox's first process
  std::string headrace;                  // the program that jobs find as `headrace`; "": none
  std::string cache_dir;                 // compiled programs

  // What the files of a host may take on its disk and its archives hold.
  uint64_t volume_bytes() const { return request.resources.volume_bytes; }
};

std::string ToJson(const JobDescription& job);
Result<JobDescription> ParseJobDescription(const std::string& text);

}  // namespace headrace::jobs
