// Reading saved_model.pb, apart from files so that it can be fuzzed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "headrace/savedmodel.h"

#include "base/result.h"
#include "keras/graph.h"
#include "savedmodel/bundle/bundle_reader.h"
#include "savedmodel/proto/saved_model.pb.h"

namespace headrace::savedmodel {

struct LoadedGraph {
  keras::Graph graph;
  Signature signature;
};

// `path` is for messages.
Result<tf::SavedModel> ParseSavedModel(std::string_view bytes, const std::string& path);
Result<LoadedGraph> LoadGraph(const tf::SavedModel& model, std::optional<BundleReader> bundle,
                              const LoadOptions& options);

}  // namespace headrace::savedmodel
