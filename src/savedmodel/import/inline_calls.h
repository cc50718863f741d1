// Function calls, put in place: TensorFlow 2 keeps a model in functions, one calling the other.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "savedmodel/proto/graph.pb.h"

namespace headrace::savedmodel {

struct InlineLimits {
  size_t max_nodes = size_t{1} << 20;  // of the graph afterwards
  size_t max_bytes = size_t{1} << 28;  // of nodes copied out of functions, beside what the library has itself
  int max_depth = 100;                 // of calls in calls
};

// Replaces every PartitionedCall and StatefulPartitionedCall that `roots` (names of nodes) need by the nodes of its
// function, named "call/node", and an IdentityN under the call's own name. Refuses recursion and what exceeds the
// limits: a short file can describe an exponential number of nodes.
Status InlineCalls(tf::GraphDef& graph, const std::vector<std::string>& roots, const InlineLimits& limits = {});

}  // namespace headrace::savedmodel
