// Reading saved_model.pb, apart from files so that it can be fuzzed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headrace/savedmodel.h"

#include "base/result.h"
#include "keras/graph.h"
#include "savedmodel/bundle/bundle_reader.h"
#include "savedmodel/import/graph_importer.h"
#include "savedmodel/import/string_decoding.h"
#include "savedmodel/proto/saved_model.pb.h"

namespace headrace::savedmodel {

struct LoadedGraph {
  keras::Graph graph;
  // As the file has it. DType has no strings: an input of them is uint8 here, and [-1] or [-1, 1]; an output of them is
  // int32, numbers of GraphOutput::labels.
  Signature signature;
  StringDecoding strings;  // of a signature with strings
  // Of each output. What the graph computes is float32 also where the signature says int32 or int64.
  std::vector<GraphOutput> outputs;
};

// `path` is for messages.
Result<tf::SavedModel> ParseSavedModel(std::string_view bytes, const std::string& path);
// One signature of one float32 input and one output.
Result<LoadedGraph> LoadGraph(tf::SavedModel model, std::optional<BundleReader> bundle, const LoadOptions& options);

// Signatures for inference, with any number of inputs (float32, uint8, int32, int64, strings) and of outputs (float32,
// int32, int64).
struct ServingGraphs {
  std::vector<LoadedGraph> signatures;                       // graphs of equal tensors share them
  std::vector<std::pair<std::string, std::string>> refused;  // signature, why
  // Of those, as the file has them; also the initialisers', which are not for clients.
  std::map<std::string, tf::SignatureDef> definitions;
  std::string directory;
};
// All signatures that Headrace can run. An error when that is not options.signature (one of strings may be refused, as
// others are), or, where the file has no signature of that name, none.
Result<ServingGraphs> LoadServingGraphs(tf::SavedModel model, std::optional<BundleReader> bundle,
                                        const LoadOptions& options);
// The same for a version directory.
Result<ServingGraphs> LoadForServing(const std::string& directory, const LoadOptions& options = {});

}  // namespace headrace::savedmodel
