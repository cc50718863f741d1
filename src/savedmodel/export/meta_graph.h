// A model's graph as one SavedModel message, and the variables that belong beside it.
#pragma once

#include <string>
#include <vector>

#include "headrace/savedmodel.h"

#include "keras/graph.h"
#include "savedmodel/export/variables.h"
#include "savedmodel/proto/saved_model.pb.h"

namespace headrace::savedmodel {

struct ExportedGraph {
  tf::SavedModel model;
  std::vector<ExportedVariable> variables;
};

ExportedGraph WriteGraph(const keras::Graph& graph, const ExportOptions& options);

// The message's bytes; maps are sorted, so equal messages give equal bytes.
std::string SerializeDeterministically(const tf::SavedModel& model);

}  // namespace headrace::savedmodel
