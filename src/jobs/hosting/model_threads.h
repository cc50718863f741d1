// How many threads a model server computes with: what its model's Environment asks for, within the instance's cores.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace headrace::jobs {

struct ModelThreads {
  int batch = 0;       // threads that compute batches; 0: the model server's own number
  int intra_op = 1;    // processors of each
  std::string remark;  // what was asked for in vain, for the log; "" when nothing was

  // SAGEMAKER_TFS_NUM_BATCH_THREADS and SAGEMAKER_TFS_INTRA_OP_PARALLELISM; their product is at most `cores`.
  static ModelThreads Of(const std::map<std::string, std::string>& environment, int cores);
  std::vector<std::string> Arguments() const;
};

}  // namespace headrace::jobs
