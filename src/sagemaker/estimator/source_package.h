// The archive of a job's source: what SageMaker's containers unpack as /opt/ml/code.
#pragma once

#include <string>
#include <vector>

namespace headrace::sagemaker {

// Writes to `archive` a tar.gz with the contents of `source_dir` at its root ("": the entry point alone), and the
// dependencies beside them. Links are followed. Throws kNotFound when the entry point is not there,
// kInvalidArgument when links lead in a circle.
void PackSource(const std::string& entry_point, const std::string& source_dir,
                const std::vector<std::string>& dependencies, const std::string& archive);

}  // namespace headrace::sagemaker
