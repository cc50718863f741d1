// TransformRun: the work of a transform job once its model servers answer. Threads take batches of records from one
// object after the other, ask the model, and put the answers together; an object's output appears when all of it is
// there. At most twice as many batches as threads are in memory, with their answers.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "jobs/transform/batch_reader.h"
#include "jobs/transform/data_processing.h"
#include "jobs/transform/model_client.h"
#include "jobs/transform/object_output.h"
#include "jobs/transform/s3_output.h"
#include "jobs/transform/transform_inputs.h"

namespace headrace::jobs {

struct TransformRunOptions {
  TransformSettings settings;
  std::vector<TransformInput> inputs;
  std::string done_file;                         // inputs that are through, for a run after a crash
  std::optional<store::AccountObjects> objects;  // never empty
  http::Client* client = nullptr;
  EndpointRoutes* routes = nullptr;             // the job's model servers, under no name
  std::function<void(const std::string&)> say;  // a line for the data log; any thread
  std::function<void()> wake;                   // the run has ended; any thread
};

class TransformRun {
 public:
  explicit TransformRun(TransformRunOptions options);
  ~TransformRun();  // Stop(), and waits
  TransformRun(const TransformRun&) = delete;
  TransformRun& operator=(const TransformRun&) = delete;

  // Makes it end soon, unfinished. What waits for a model server goes on when that is killed.
  void Stop();
  bool ended() const { return running_ == 0; }
  // Of a run that has ended: "" when every object is through.
  std::string failure() const;

 private:
  struct ObjectRun;
  struct Work {
    std::shared_ptr<ObjectRun> object;
    uint64_t index = 0;  // of the batch in the object
    TransformBatch batch;
  };

  void Run();
  std::optional<Work> TakeWork();
  // With mutex_ held. The next object, or null when there is none.
  std::shared_ptr<ObjectRun> OpenNext();
  Result<std::shared_ptr<ObjectRun>> Open(const TransformInput& input);
  std::optional<std::string> Transform(const Work& work);
  void Deposit(const Work& work, std::optional<std::string> answer);
  // Stores the output when that is complete. `lock` is given back meanwhile.
  void StoreIfComplete(const std::shared_ptr<ObjectRun>& object, std::unique_lock<std::mutex>& lock);
  void FailObject(ObjectRun& object, const std::string& kind, const std::string& where, const std::string& what);
  void Report(const TransformInput& input, const std::string& kind, const std::string& where, const std::string& what);
  void ReadDone();
  void WriteDone(const TransformInput& input);

  const TransformRunOptions options_;
  const DataProcessing processing_;
  const Result<S3OutputPlace> place_;
  std::atomic<bool> stop_ = false;
  ModelClient model_;

  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::set<std::pair<std::string, std::string>> done_;  // key and ETag
  size_t next_input_ = 0;
  size_t in_memory_ = 0, most_in_memory_ = 0;  // batches
  std::shared_ptr<ObjectRun> reading_;
  std::string failure_;
  size_t failures_ = 0;
  std::atomic<size_t> running_ = 0;
  std::vector<std::thread> threads_;  // last: they use the rest
};

}  // namespace headrace::jobs
