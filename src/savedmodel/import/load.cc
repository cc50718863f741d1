#include "savedmodel/import/load.h"

#include <climits>
#include <filesystem>

#include "base/file.h"
#include "savedmodel/import/graph_importer.h"
#include "savedmodel/import/keras_model.h"
#include "savedmodel/tensor_proto.h"

namespace headrace::savedmodel {
namespace {

Result<const tf::MetaGraphDef*> FindMetaGraph(const tf::SavedModel& model, const std::string& tag) {
  std::string found;
  for (const tf::MetaGraphDef& meta : model.meta_graphs()) {
    const auto& tags = meta.meta_info_def().tags();
    if (tags.size() == 1 && tags[0] == tag) return &meta;
    for (const std::string& other : tags) found += (found.empty() ? "" : ", ") + other;
  }
  return Fail(ErrorCode::kNotFound, "no graph tagged '{}' alone; there is: {}", tag, found.empty() ? "none" : found);
}

Result<TensorInfo> ReadTensorInfo(const std::string& name, const tf::TensorInfo& info) {
  const std::string what = "the signature's tensor '" + name + "'";
  HEADRACE_ASSIGN(const DType dtype, DTypeFromProto(info.dtype(), what));
  HEADRACE_ASSIGN(Shape shape, ShapeFromProto(info.tensor_shape(), what));
  return TensorInfo{name, dtype, std::move(shape)};
}

Result<Signature> ReadSignature(const std::string& name, const tf::SignatureDef& def) {
  if (def.inputs_size() != 1 || def.outputs_size() != 1)
    return Fail(ErrorCode::kInvalidArgument, "signature '{}': {} inputs and {} outputs, wanted one of each", name,
                def.inputs_size(), def.outputs_size());
  HEADRACE_ASSIGN(TensorInfo input, ReadTensorInfo(def.inputs().begin()->first, def.inputs().begin()->second));
  HEADRACE_ASSIGN(TensorInfo output, ReadTensorInfo(def.outputs().begin()->first, def.outputs().begin()->second));
  if (input.dtype != DType::kFloat32 || output.dtype != DType::kFloat32)
    return Fail(ErrorCode::kInvalidArgument, "signature '{}': '{}' is {} and '{}' is {}, wanted float32", name,
                input.name, NameOf(input.dtype), output.name, NameOf(output.dtype));
  if (input.shape.rank() < 2)
    return Fail(ErrorCode::kInvalidArgument, "signature '{}': '{}' has shape {}, wanted a batch", name, input.name,
                input.shape.ToString());
  input.shape[0] = -1;
  return Signature{name, def.method_name(), {std::move(input)}, {std::move(output)}};
}

Result<LoadedModel> LoadDirectory(const std::string& directory, const LoadOptions& options) {
  const std::string path = directory + "/saved_model.pb", prefix = directory + "/variables/variables";
  HEADRACE_ASSIGN(const std::string bytes, ReadFile(path, options.max_graph_bytes));
  HEADRACE_ASSIGN(const tf::SavedModel model, ParseSavedModel(bytes, path));
  std::optional<BundleReader> bundle;
  if (std::error_code ignored; std::filesystem::exists(prefix + ".index", ignored)) {
    HEADRACE_ASSIGN(bundle, BundleReader::Open(prefix, options.max_variable_bytes));
  }
  auto loaded = LoadGraph(model, std::move(bundle), options);
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

Result<LoadedGraph> LoadGraph(const tf::SavedModel& model, std::optional<BundleReader> bundle,
                              const LoadOptions& options) {
  HEADRACE_ASSIGN(const tf::MetaGraphDef* meta, FindMetaGraph(model, options.tag));
  const auto def = meta->signature_def().find(options.signature);
  if (def == meta->signature_def().end())
    return Fail(ErrorCode::kNotFound, "no signature named '{}'", options.signature);
  HEADRACE_ASSIGN(Signature signature, ReadSignature(def->first, def->second));

  HEADRACE_ASSIGN(const NodeIndex index, NodeIndex::Make(meta->graph_def()));
  const VariableSource variables(index, std::move(bundle));
  HEADRACE_ASSIGN(keras::Graph graph,
                  GraphImporter(index, variables)
                      .Import(def->second.inputs().begin()->second.name(), signature.inputs[0].shape,
                              def->second.outputs().begin()->second.name()));
  return LoadedGraph{std::move(graph), std::move(signature)};
}

LoadedModel Load(const std::string& directory, const LoadOptions& options) {
  return ValueOrThrow(LoadDirectory(ResolveVersion(directory), options));
}

}  // namespace headrace::savedmodel
