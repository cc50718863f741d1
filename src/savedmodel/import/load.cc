#include "savedmodel/import/load.h"

#include <algorithm>
#include <climits>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "savedmodel/import/graph_importer.h"
#include "savedmodel/import/inline_calls.h"
#include "savedmodel/import/keras_model.h"
#include "savedmodel/tensor_proto.h"

namespace headrace::savedmodel {
namespace {

Result<tf::MetaGraphDef*> FindMetaGraph(tf::SavedModel& model, const std::string& tag) {
  std::string found;
  for (tf::MetaGraphDef& meta : *model.mutable_meta_graphs()) {
    const auto& tags = meta.meta_info_def().tags();
    if (tags.size() == 1 && tags[0] == tag) return &meta;
    for (const std::string& other : tags) found += (found.empty() ? "" : ", ") + other;
  }
  return Fail(ErrorCode::kNotFound, "no graph tagged '{}' alone; there is: {}", tag, found.empty() ? "none" : found);
}

// An input of strings: one a row.
Result<TensorInfo> ReadStringsInfo(const std::string& name, const tf::TensorInfo& info) {
  Shape shape{-1};  // of unknown rank, too
  if (!info.tensor_shape().unknown_rank()) {
    HEADRACE_ASSIGN(shape, ShapeFromProto(info.tensor_shape(), "the signature's tensor '" + name + "'"));
  }
  if (shape.rank() < 1 || shape.rank() > 2 || (shape.rank() == 2 && shape[1] != 1))
    return Fail(ErrorCode::kInvalidArgument, "the signature's tensor '{}' is strings of shape {}, wanted one a row",
                name, shape.ToString());
  return TensorInfo{name, DType::kUInt8, std::move(shape)};
}

Result<TensorInfo> ReadTensorInfo(const std::string& name, const tf::TensorInfo& info) {
  const std::string what = "the signature's tensor '" + name + "'";
  HEADRACE_ASSIGN(const DType dtype, DTypeFromProto(info.dtype(), what));
  HEADRACE_ASSIGN(Shape shape, ShapeFromProto(info.tensor_shape(), what));
  return TensorInfo{name, dtype, std::move(shape)};
}

bool IsStrings(const tf::TensorInfo& info) { return info.dtype() == tf::DT_STRING; }
bool HasStrings(const tf::SignatureDef& def) {
  const auto strings = [](const auto& entry) { return IsStrings(entry.second); };
  return std::any_of(def.inputs().begin(), def.inputs().end(), strings) ||
         std::any_of(def.outputs().begin(), def.outputs().end(), strings);
}
bool IsInputType(DType dtype) { return dtype != DType::kBFloat16; }

Result<Signature> ReadSignature(const std::string& name, const tf::SignatureDef& def) {
  Signature signature{name, def.method_name(), {}, {}};
  const std::map<std::string, tf::TensorInfo> inputs(def.inputs().begin(), def.inputs().end());  // by name
  const std::map<std::string, tf::TensorInfo> outputs(def.outputs().begin(), def.outputs().end());
  if (inputs.empty() || outputs.empty())
    return Fail(ErrorCode::kInvalidArgument, "signature '{}': {} inputs and {} outputs, wanted one of each or more",
                name, inputs.size(), outputs.size());
  for (const auto& [key, info] : inputs) {
    HEADRACE_ASSIGN(TensorInfo input, IsStrings(info) ? ReadStringsInfo(key, info) : ReadTensorInfo(key, info));
    if (input.shape.rank() < 1)
      return Fail(ErrorCode::kInvalidArgument, "signature '{}': '{}' has shape {}, wanted a batch", name, key,
                  input.shape.ToString());
    if (!IsInputType(input.dtype))
      return Fail(ErrorCode::kInvalidArgument, "signature '{}': '{}' is {}, wanted float32 or whole numbers", name, key,
                  NameOf(input.dtype));
    input.shape[0] = -1;
    signature.inputs.push_back(std::move(input));
  }
  for (const auto& [key, info] : outputs) {
    if (IsStrings(info)) {  // numbers that stand for strings
      signature.outputs.push_back({key, DType::kInt32, {}});
      continue;
    }
    HEADRACE_ASSIGN(const DType dtype, DTypeFromProto(info.dtype(), "the signature's tensor '" + key + "'"));
    if (dtype != DType::kFloat32 && dtype != DType::kInt32 && dtype != DType::kInt64)
      return Fail(ErrorCode::kInvalidArgument, "signature '{}': '{}' is {}, wanted float32, int32 or int64", name, key,
                  NameOf(dtype));
    signature.outputs.push_back({key, dtype, {}});  // its shape is the graph's
  }
  return signature;
}

// For models of Keras layers.
Status RequireOneOfEach(const Signature& signature, const tf::SignatureDef& def) {
  if (signature.inputs.size() != 1 || signature.outputs.size() != 1)
    return Fail(ErrorCode::kInvalidArgument, "signature '{}': {} inputs and {} outputs, wanted one of each",
                signature.name, signature.inputs.size(), signature.outputs.size());
  if (signature.outputs[0].dtype != DType::kFloat32)
    return Fail(ErrorCode::kInvalidArgument, "signature '{}': '{}' is {}, wanted float32", signature.name,
                signature.outputs[0].name, NameOf(signature.outputs[0].dtype));
  const bool strings = IsStrings(def.inputs().begin()->second);
  if (strings || signature.inputs[0].dtype != DType::kFloat32)
    return Fail(ErrorCode::kInvalidArgument, "signature '{}': '{}' is {}, wanted float32", signature.name,
                signature.inputs[0].name, strings ? "string" : NameOf(signature.inputs[0].dtype));
  return {};
}

// That what the graph makes of an output is of the signature's type.
Status CheckOutput(const std::string& signature, const TensorInfo& output, const GraphOutput& made, bool strings) {
  const bool floats = output.dtype == DType::kFloat32;
  bool fits = strings == !made.labels.empty();
  if (!strings && made.largest) fits = fits && !floats;
  if (!strings && !made.value) fits = fits && made.row.dtype() == output.dtype;
  if (fits) return {};
  return Fail(ErrorCode::kInvalidArgument, "signature '{}': its output '{}' is {}, which is not what the graph makes",
              signature, output.name, strings ? "string" : NameOf(output.dtype));
}

Result<LoadedGraph> ImportSignature(const NodeIndex& index, const VariableSource& variables, const std::string& name,
                                    const tf::SignatureDef& def, bool one_of_each) {
  HEADRACE_ASSIGN(Signature signature, ReadSignature(name, def));
  if (one_of_each) HEADRACE_TRY(RequireOneOfEach(signature, def));
  std::vector<GraphInput> inputs;
  for (const TensorInfo& input : signature.inputs) {
    const tf::TensorInfo& info = def.inputs().at(input.name);
    inputs.push_back({info.name(), input.shape, input.dtype, IsStrings(info)});
  }
  std::vector<std::string> outputs;
  for (const TensorInfo& output : signature.outputs) outputs.push_back(def.outputs().at(output.name).name());
  GraphImporter importer(index, variables);
  HEADRACE_ASSIGN(keras::Graph graph, importer.Import(inputs, outputs));
  for (size_t i = 0; i < signature.outputs.size(); ++i) {
    TensorInfo& output = signature.outputs[i];
    HEADRACE_TRY(CheckOutput(name, output, importer.outputs()[i], IsStrings(def.outputs().at(output.name))));
    output.shape = importer.outputs()[i].shape;
  }
  return LoadedGraph{std::move(graph), std::move(signature), importer.decoding(), importer.outputs()};
}

// Puts the functions in place that these signatures and the restoring of variables need.
Status PutCallsInPlace(tf::MetaGraphDef& meta, const std::vector<const tf::SignatureDef*>& signatures) {
  std::vector<std::string> roots = {meta.saver_def().restore_op_name()};
  for (const tf::SignatureDef* signature : signatures)
    for (const auto& [name, info] : signature->outputs()) roots.push_back(info.name());
  for (std::string& root : roots) {
    const auto ref = ParseTensorRef(root);
    root = ref ? std::string(ref->node) : "";
  }
  return InlineCalls(*meta.mutable_graph_def(), roots);
}

Result<std::optional<BundleReader>> OpenBundle(const std::string& directory, const LoadOptions& options) {
  const std::string prefix = directory + "/variables/variables";
  std::error_code ignored;
  if (!std::filesystem::exists(prefix + ".index", ignored)) return std::optional<BundleReader>();
  HEADRACE_ASSIGN(BundleReader bundle, BundleReader::Open(prefix, options.max_variable_bytes));
  return std::optional(std::move(bundle));
}

Result<tf::SavedModel> ReadModel(const std::string& path, const LoadOptions& options) {
  HEADRACE_ASSIGN(const std::string bytes, ReadRegularFile(path, options.max_graph_bytes));
  return ParseSavedModel(bytes, path);
}

Result<LoadedModel> LoadDirectory(const std::string& directory, const LoadOptions& options) {
  const std::string path = directory + "/saved_model.pb";
  HEADRACE_ASSIGN(tf::SavedModel model, ReadModel(path, options));
  HEADRACE_ASSIGN(auto bundle, OpenBundle(directory, options));
  auto loaded = LoadGraph(std::move(model), std::move(bundle), options);
  if (!loaded) return Fail(loaded.error().code(), "{}: {}", path, loaded.error().message());
  return LoadedModel{ModelFromGraph(loaded->graph, "saved_model"), std::move(loaded->signature), directory};
}

}  // namespace

Result<tf::SavedModel> ParseSavedModel(std::string_view bytes, const std::string& path) {
  tf::SavedModel model;
  if (bytes.size() > INT_MAX || !model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return Fail(ErrorCode::kDataLoss, "{}: {} bytes that are no SavedModel", path, bytes.size());
  if (model.saved_model_schema_version() != 1)
    return Fail(ErrorCode::kInvalidArgument, "{}: schema version {}, wanted 1", path,
                model.saved_model_schema_version());
  return model;
}

Result<LoadedGraph> LoadGraph(tf::SavedModel model, std::optional<BundleReader> bundle, const LoadOptions& options) {
  HEADRACE_ASSIGN(tf::MetaGraphDef * meta, FindMetaGraph(model, options.tag));
  const auto def = meta->signature_def().find(options.signature);
  if (def == meta->signature_def().end())
    return Fail(ErrorCode::kNotFound, "no signature named '{}'", options.signature);
  HEADRACE_TRY(PutCallsInPlace(*meta, {&def->second}));
  HEADRACE_ASSIGN(const NodeIndex index, NodeIndex::Make(meta->graph_def()));
  const VariableSource variables(index, std::move(bundle));
  return ImportSignature(index, variables, def->first, def->second, true);
}

Result<ServingGraphs> LoadServingGraphs(tf::SavedModel model, std::optional<BundleReader> bundle,
                                        const LoadOptions& options) {
  HEADRACE_ASSIGN(tf::MetaGraphDef * meta, FindMetaGraph(model, options.tag));
  std::map<std::string, const tf::SignatureDef*> defs;
  std::vector<const tf::SignatureDef*> list;
  for (const auto& [name, def] : meta->signature_def()) {
    if (name.rfind("__saved_model_", 0) == 0) continue;  // initialisers, not for clients
    defs[name] = &def;
    list.push_back(&def);
  }
  if (defs.empty()) return Fail(ErrorCode::kNotFound, "it has no signature");
  HEADRACE_TRY(PutCallsInPlace(*meta, list));
  HEADRACE_ASSIGN(const NodeIndex index, NodeIndex::Make(meta->graph_def()));
  const VariableSource variables(index, std::move(bundle));
  ServingGraphs graphs;
  for (const auto& [name, def] : meta->signature_def())
    if (defs.count(name) == 0) graphs.definitions[name] = def;
  for (const auto& [name, def] : defs) {
    auto loaded = ImportSignature(index, variables, name, *def, false);
    if (loaded) {
      graphs.signatures.push_back(std::move(*loaded));
      graphs.definitions[name] = *def;
    } else if ((name == options.signature && !HasStrings(*def)) || defs.size() == 1) {
      return tl::unexpected<Error>(std::move(loaded.error()));
    } else {
      graphs.refused.emplace_back(name, loaded.error().message());
    }
  }
  if (graphs.signatures.empty())
    return Fail(ErrorCode::kInvalidArgument, "signature '{}': {}", graphs.refused[0].first, graphs.refused[0].second);
  return graphs;
}

Result<ServingGraphs> LoadForServing(const std::string& directory, const LoadOptions& options) {
  const std::string path = directory + "/saved_model.pb";
  HEADRACE_ASSIGN(tf::SavedModel model, ReadModel(path, options));
  HEADRACE_ASSIGN(auto bundle, OpenBundle(directory, options));
  auto loaded = LoadServingGraphs(std::move(model), std::move(bundle), options);
  if (!loaded) return Fail(loaded.error().code(), "{}: {}", path, loaded.error().message());
  loaded->directory = directory;
  return loaded;
}

LoadedModel Load(const std::string& directory, const LoadOptions& options) {
  return ValueOrThrow(LoadDirectory(ResolveVersion(directory), options));
}

}  // namespace headrace::savedmodel
