#include "headrace/savedmodel.h"

#include "base/file.h"
#include "keras/model_state.h"
#include "savedmodel/bundle/bundle_writer.h"
#include "savedmodel/export/meta_graph.h"
#include "savedmodel/export/staged_directory.h"

namespace headrace::savedmodel {
namespace {

Status WriteVariables(const std::vector<ExportedVariable>& variables, const std::string& directory) {
  if (variables.empty()) return {};
  HEADRACE_TRY(MakeDirectories(directory));
  HEADRACE_ASSIGN(BundleWriter bundle, BundleWriter::Create(directory + "/variables"));
  for (const ExportedVariable& exported : variables) HEADRACE_TRY(bundle.Add(exported.name, exported.variable->value));
  return bundle.Finish();
}

Status ExportGraph(const keras::Graph& graph, const std::string& directory, const ExportOptions& options) {
  HEADRACE_ASSIGN(StagedDirectory staged, StagedDirectory::Create(directory));
  const ExportedGraph exported = WriteGraph(graph, options);
  HEADRACE_TRY(WriteVariables(exported.variables, staged.path() + "/variables"));
  HEADRACE_TRY(WriteFileAtomically(staged.path() + "/saved_model.pb", SerializeDeterministically(exported.model)));
  return staged.Commit(options.overwrite);
}

}  // namespace

void Export(const keras::Model& model, const std::string& directory, const ExportOptions& options) {
  if (model.state().nodes.empty())
    throw MakeError(ErrorCode::kFailedPrecondition, "model '{}': it has no layers to export", model.name());
  if (model.state().inputs.size() != 1 || model.state().outputs.size() != 1)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "model {}: found {} inputs and {} outputs, wanted one of each: several are not exported yet",
                    model.name(), model.state().inputs.size(), model.state().outputs.size());
  ValueOrThrow(ExportGraph(model.state().Lower(), directory, options));
}

}  // namespace headrace::savedmodel
