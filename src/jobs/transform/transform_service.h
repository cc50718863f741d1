// TransformService: runs the batch transform jobs of the metadata database, each on a thread (transform_runner.h).
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace headrace::jobs {

struct HostingMachine;

class TransformService {
 public:
  // `machine`: where model servers run, with its database and objects; outlives the service.
  explicit TransformService(HostingMachine& machine);
  TransformService(const TransformService&) = delete;
  TransformService& operator=(const TransformService&) = delete;
  ~TransformService();  // Stop()

  // Goes on with the jobs that an earlier process had not ended.
  Status Start();
  // Jobs that run are left unfinished; the next Start() goes on with them.
  void Stop();
  // The job's row is new, or has changed: its thread looks at it. Any thread.
  void Wake(const std::string& account, const std::string& name);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::jobs
