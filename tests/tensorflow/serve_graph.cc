// serve_graph DIR INPUTS.npy…: runs signature serving_default of the SavedModel version DIR on one float32 .npy file an
// input (in the order of the names) and writes DIR/../outputs-NAME.npy for each output. As the model server runs it.
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>

#include "base/file.h"
#include "keras/inference/inference_model.h"
#include "savedmodel/import/load.h"

namespace {

using namespace headrace;

// Version 1.0, little-endian float32, C order: what numpy.save writes.
Tensor ReadNpy(const std::string& path) {
  const std::string file = ValueOrThrow(ReadFile(path));
  const size_t header = 10 + static_cast<uint8_t>(file.at(8)) + 256 * static_cast<uint8_t>(file.at(9));
  size_t at = file.find("'shape': (") + 10;
  std::vector<int64_t> dims;
  while (file[at] != ')') {
    dims.push_back(std::atoll(file.c_str() + at));
    at = file.find_first_of(",)", at);
    while (file[at] == ',' || file[at] == ' ') ++at;
  }
  Tensor tensor(DType::kFloat32, Shape(dims));
  std::memcpy(tensor.raw(), file.data() + header, tensor.bytes());
  return tensor;
}

void WriteNpy(const std::string& path, const Tensor& tensor) {
  std::string shape;
  for (const int64_t dim : tensor.shape().dims()) shape += std::to_string(dim) + ",";
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 11, ' ');
  header += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file.push_back(static_cast<char>(header.size() & 0xff));
  file.push_back(static_cast<char>(header.size() >> 8));
  file += header;
  file.append(static_cast<const char*>(tensor.raw()), tensor.bytes());
  ValueOrThrow(WriteFileAtomically(path, file));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: serve_graph DIR INPUT.npy...\n";
    return 2;
  }
  try {
    auto graphs = ValueOrThrow(savedmodel::LoadForServing(argv[1]));
    for (const auto& [name, why] : graphs.refused) std::cerr << "refused: " << name << ": " << why << "\n";
    for (const auto& loaded : graphs.signatures) {
      if (loaded.signature.name != "serving_default") continue;
      const std::shared_ptr<const tensor::Backend> backend = tensor::MakeOneDnnBackend();
      keras::InferenceRunner runner(std::make_shared<keras::InferenceModel>(loaded.graph, backend));
      std::vector<Tensor> inputs;
      for (int i = 2; i < argc; ++i) inputs.push_back(ReadNpy(argv[i]));
      const auto outputs = runner.Run(inputs);
      for (size_t i = 0; i < outputs.size(); ++i)
        WriteNpy(std::string(argv[1]) + "/../outputs-" + loaded.signature.outputs[i].name + ".npy", outputs[i]);
    }
  } catch (const std::exception& error) {
    std::cerr << "serve_graph: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
