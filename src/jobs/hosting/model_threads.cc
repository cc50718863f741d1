#include "jobs/hosting/model_threads.h"

#include <algorithm>
#include <charconv>
#include <climits>

#include <fmt/format.h>

namespace headrace::jobs {
namespace {

constexpr const char* kBatchThreads = "SAGEMAKER_TFS_NUM_BATCH_THREADS";
constexpr const char* kIntraOp = "SAGEMAKER_TFS_INTRA_OP_PARALLELISM";

// 0 when the variable is not there or says nothing; a number that is too long is the largest.
int ThreadsAsked(const std::map<std::string, std::string>& environment, const char* variable) {
  const auto set = environment.find(variable);
  if (set == environment.end()) return 0;
  const auto& text = set->second;
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos) return 0;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? value : INT_MAX;
}

}  // namespace

ModelThreads ModelThreads::Of(const std::map<std::string, std::string>& environment, int cores) {
  cores = std::max(cores, 1);
  const int batch = ThreadsAsked(environment, kBatchThreads), intra_op = ThreadsAsked(environment, kIntraOp);
  ModelThreads threads;
  threads.batch = std::min(batch, cores);
  const int of_each = std::max(1, cores / std::max(threads.batch, 1));
  threads.intra_op = intra_op == 0 ? of_each : std::min(intra_op, of_each);
  if (batch > threads.batch || intra_op > threads.intra_op)
    threads.remark =
        fmt::format("{} {} and {} {} are more threads than the {} cores of the instance: {} and {} are used",
                    kBatchThreads, batch, kIntraOp, intra_op, cores, std::max(threads.batch, 1), threads.intra_op);
  return threads;
}

std::vector<std::string> ModelThreads::Arguments() const {
  std::vector<std::string> arguments = {fmt::format("--tensorflow_intra_op_parallelism={}", intra_op)};
  if (batch > 0) arguments.push_back(fmt::format("--num_batch_threads={}", batch));
  return arguments;
}

}  // namespace headrace::jobs
