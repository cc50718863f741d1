#include "serving/rest/metadata_json.h"

#include <map>
#include <utility>

#include <fmt/format.h>

#include "serving/codec/json_response.h"

namespace headrace::serving {
namespace {

std::string NameOfType(tf::DataType type) {
  return tf::DataType_IsValid(type) ? tf::DataType_Name(type) : std::to_string(static_cast<int>(type));
}

// {"key": value, …} in the order of the keys; print(value) appends the value.
template <typename Map, typename Print>
void AppendMap(const Map& map, const std::string& indent, std::string& text, const Print& print) {
  text += '{';
  bool first = true;
  for (const auto& [key, value] : std::map(map.begin(), map.end())) {
    text += std::exchange(first, false) ? "\n" : ",\n";
    text += indent + ' ';
    AppendJsonString(key, text);
    text += ": ";
    print(value);
  }
  text += first ? "}" : "\n" + indent + '}';
}

void AppendTensors(const google::protobuf::Map<std::string, tf::TensorInfo>& tensors, std::string& text) {
  AppendMap(tensors, "   ", text, [&](const tf::TensorInfo& info) {
    text += fmt::format("{{\n     \"dtype\": \"{}\",\n     \"tensor_shape\": {{\n      \"dim\": [",
                        NameOfType(info.dtype()));
    const tf::TensorShapeProto& shape = info.tensor_shape();
    for (int axis = 0; axis < shape.dim_size(); ++axis)
      text += fmt::format("{}{{\"size\": \"{}\", \"name\": \"\"}}", axis > 0 ? ", " : "", shape.dim(axis).size());
    text += fmt::format("],\n      \"unknown_rank\": {}\n     }},\n     \"name\": ", shape.unknown_rank());
    AppendJsonString(info.name(), text);
    text += "\n    }";
  });
}

}  // namespace

std::string MetadataJson(const std::string& model, int64_t version,
                         const ::tensorflow::serving::SignatureDefMap& definitions) {
  std::string text = "{\n\"model_spec\":{\n \"name\": ";
  AppendJsonString(model, text);
  text += fmt::format(
      ",\n \"signature_name\": \"\",\n \"version\": \"{}\"\n}}\n,\n"
      "\"metadata\": {{\"signature_def\": {{\n \"signature_def\": ",
      version);
  AppendMap(definitions.signature_def(), " ", text, [&](const tf::SignatureDef& definition) {
    text += "{\n   \"inputs\": ";
    AppendTensors(definition.inputs(), text);
    text += ",\n   \"outputs\": ";
    AppendTensors(definition.outputs(), text);
    text += ",\n   \"method_name\": ";
    AppendJsonString(definition.method_name(), text);
    text += "\n  }";
  });
  return text + "\n}\n}\n}\n";
}

}  // namespace headrace::serving
