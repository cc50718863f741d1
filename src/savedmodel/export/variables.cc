#include "savedmodel/export/variables.h"

#include "savedmodel/tensor_proto.h"

namespace headrace::savedmodel {

std::string VariableWriter::Read(const keras::VariablePtr& variable) {
  const auto [found, added] = index_.try_emplace(variable.get(), variables_.size());
  if (!added) return variables_[found->second].read;

  const Shape& shape = variable->value.shape();
  NodeWriter handle = graph_.Add("VarHandleOp", variable->name);
  const std::string name = handle.name();
  handle.Type("dtype", tf::DT_FLOAT).ShapeOf("shape", shape).String("shared_name", name).String("container", "");

  // Values come from the bundle; the initial one is there because collections must name an initializer.
  NodeWriter zeros = graph_.Add("Const", name + "/Initializer/initial_value");
  zeros.Type("dtype", tf::DT_FLOAT).Value().set_dtype(tf::DT_FLOAT);
  ToProto(shape, zeros.Value().mutable_tensor_shape());
  zeros.Value().add_float_val(0);
  graph_.Add("VarIsInitializedOp", name + "/IsInitialized/VarIsInitializedOp", {name});
  graph_.Add("AssignVariableOp", name + "/Assign", {name, zeros.name()}).Type("dtype", tf::DT_FLOAT);
  const std::string read =
      graph_.Add("ReadVariableOp", name + "/Read/ReadVariableOp", {name}).Type("dtype", tf::DT_FLOAT).name();
  variables_.push_back({name, read, variable});
  return read;
}

void VariableWriter::AddSaver(tf::MetaGraphDef* meta) {
  if (variables_.empty()) return;
  const std::string model = graph_.StringConst("save/filename/input", "model");
  const std::string filename = graph_.Add("PlaceholderWithDefault", "save/filename", {model})
                                   .Type("dtype", tf::DT_STRING)
                                   .ShapeOf("shape", {})
                                   .name();
  const std::string prefix = graph_.Add("PlaceholderWithDefault", "save/Const", {filename})
                                 .Type("dtype", tf::DT_STRING)
                                 .ShapeOf("shape", {})
                                 .name();
  std::vector<std::string> names;
  for (const ExportedVariable& variable : variables_) names.push_back(variable.name);
  const std::string tensor_names = graph_.StringsConst("save/RestoreV2/tensor_names", names);
  const std::string slices =
      graph_.StringsConst("save/RestoreV2/shape_and_slices", std::vector<std::string>(names.size()));

  tf::SaverDef* saver = meta->mutable_saver_def();
  saver->set_filename_tensor_name(prefix + ":0");
  saver->set_save_tensor_name(AddSave(prefix, tensor_names, slices) + ":0");
  saver->set_restore_op_name(AddRestore(prefix, tensor_names, slices));
  saver->set_max_to_keep(5);
  saver->set_sharded(true);
  saver->set_keep_checkpoint_every_n_hours(10000);
  saver->set_version(tf::SaverDef::V2);
  AddCollections(meta);
}

std::string VariableWriter::AddRestore(const std::string& prefix, const std::string& names, const std::string& slices) {
  const std::vector<tf::DataType> types(variables_.size(), tf::DT_FLOAT);
  const std::string restore =
      graph_.Add("RestoreV2", "save/RestoreV2", {prefix, names, slices}).Types("dtypes", types).name();
  std::vector<std::string> assigns;
  for (size_t i = 0; i < variables_.size(); ++i) {
    const std::string output = i == 0 ? restore : restore + ":" + std::to_string(i);
    const std::string value = graph_.AddFloat("Identity", "save/RestoreV2/Identity", {output});
    assigns.push_back("^" + graph_.Add("AssignVariableOp", "save/AssignVariableOp", {variables_[i].name, value})
                                .Type("dtype", tf::DT_FLOAT)
                                .name());
  }
  const std::string shard = graph_.Add("NoOp", "save/restore_shard", assigns).name();
  return graph_.Add("NoOp", "save/restore_all", {"^" + shard}).name();
}

std::string VariableWriter::AddSave(const std::string& prefix, const std::string& names, const std::string& slices) {
  const std::string number = graph_.IntsConst("save/ShardedFilename/shard", {0}, {});
  const std::string count = graph_.IntsConst("save/num_shards", {1}, {});
  const std::string file = graph_.Add("ShardedFilename", "save/ShardedFilename", {prefix, number, count}).name();
  std::vector<std::string> inputs = {file, names, slices};
  for (const ExportedVariable& variable : variables_) inputs.push_back(variable.read);
  const std::vector<tf::DataType> types(variables_.size(), tf::DT_FLOAT);
  const std::string save = graph_.Add("SaveV2", "save/SaveV2", inputs).Types("dtypes", types).name();
  const std::string saved =
      graph_.Add("Identity", "save/control_dependency", {file, "^" + save}).Type("T", tf::DT_STRING).name();
  const std::string files = graph_.Add("Pack", "save/MergeV2Checkpoints/checkpoint_prefixes", {file, "^" + saved})
                                .Type("T", tf::DT_STRING)
                                .Int("N", 1)
                                .Int("axis", 0)
                                .name();
  const std::string merge =
      graph_.Add("MergeV2Checkpoints", "save/MergeV2Checkpoints", {files, prefix}).Bool("delete_old_dirs", true).name();
  return graph_.Add("Identity", "save/Identity", {prefix, "^" + saved, "^" + merge}).Type("T", tf::DT_STRING).name();
}

void VariableWriter::AddCollections(tf::MetaGraphDef* meta) const {
  auto& collections = *meta->mutable_collection_def();
  for (const ExportedVariable& exported : variables_) {
    tf::VariableDef def;
    def.set_variable_name(exported.name + ":0");
    def.set_initializer_name(exported.name + "/Assign");
    def.set_snapshot_name(exported.read + ":0");
    def.set_is_resource(true);
    def.set_initial_value_name(exported.name + "/Initializer/initial_value:0");
    def.set_trainable(exported.variable->trainable);
    const std::string bytes = def.SerializeAsString();
    collections["variables"].mutable_bytes_list()->add_value(bytes);
    if (exported.variable->trainable) collections["trainable_variables"].mutable_bytes_list()->add_value(bytes);
  }
}

}  // namespace headrace::savedmodel
