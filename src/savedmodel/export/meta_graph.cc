#include "savedmodel/export/meta_graph.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "savedmodel/export/operations.h"
#include "savedmodel/tensor_proto.h"

namespace headrace::savedmodel {
namespace {

// The oldest versions that know all operations we write: TensorFlow 1.15's graphs.
constexpr const char* kTensorFlowVersion = "1.15.2";
constexpr int kGraphProducer = 134, kGraphMinConsumer = 12;

void SetInfo(tf::TensorInfo& info, const std::string& node, const Shape& shape) {
  info.set_name(node + ":0");
  info.set_dtype(tf::DT_FLOAT);
  ToProto(shape, info.mutable_tensor_shape());
}

}  // namespace

ExportedGraph WriteGraph(const keras::Graph& graph, const ExportOptions& options) {
  ExportedGraph exported;
  exported.model.set_saved_model_schema_version(1);
  tf::MetaGraphDef* meta = exported.model.add_meta_graphs();
  meta->mutable_meta_info_def()->add_tags("serve");
  meta->mutable_meta_info_def()->set_tensorflow_version(kTensorFlowVersion);
  meta->mutable_graph_def()->mutable_versions()->set_producer(kGraphProducer);
  meta->mutable_graph_def()->mutable_versions()->set_min_consumer(kGraphMinConsumer);

  GraphWriter writer(meta->mutable_graph_def());
  VariableWriter variables(writer);
  const Shape& input_shape = graph.values.front().shape;
  NodeWriter placeholder = writer.Add("Placeholder", options.input_name);
  placeholder.Type("dtype", tf::DT_FLOAT).ShapeOf("shape", input_shape);
  const std::string input = placeholder.name();
  const std::string output = WriteOperations(graph, input, writer, variables);
  variables.AddSaver(meta);

  tf::SignatureDef& signature = (*meta->mutable_signature_def())["serving_default"];
  signature.set_method_name("tensorflow/serving/predict");
  SetInfo((*signature.mutable_inputs())[options.input_name], input, input_shape);
  SetInfo((*signature.mutable_outputs())[options.output_name], output,
          graph.values[static_cast<size_t>(graph.output)].shape);
  exported.variables = variables.variables();
  return exported;
}

std::string SerializeDeterministically(const tf::SavedModel& model) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  model.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

}  // namespace headrace::savedmodel
