// export_models DIR: writes the test models, inputs and Headrace's own predictions below DIR for test_savedmodel.py:
// DIR/NAME/1 (SavedModel), DIR/NAME/{inputs,scores,reloaded}.npy.
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

#include "headrace/savedmodel.h"

#include "base/file.h"
#include "savedmodel/testing/models.h"

namespace {

using headrace::Tensor;

// float32, C order, version 1.0 of the format: the header is padded so that the data starts at a multiple of 64.
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
  headrace::ValueOrThrow(headrace::WriteFileAtomically(path, file));
}

void ExportModel(headrace::keras::Model model, const Tensor& inputs, const std::string& directory) {
  headrace::savedmodel::Export(model, directory + "/1", {.overwrite = true});
  WriteNpy(directory + "/inputs.npy", inputs);
  WriteNpy(directory + "/scores.npy", model.predict(inputs));
  WriteNpy(directory + "/reloaded.npy", headrace::savedmodel::Load(directory).model.predict(inputs));
}

}  // namespace

int main(int argc, char** argv) {
  namespace testing = headrace::savedmodel::testing;
  if (argc != 2) {
    std::cerr << "usage: export_models DIR\n";
    return 2;
  }
  const std::string directory = argv[1];
  try {
    ExportModel(testing::ExampleCnn(), testing::RandomInputs({70, 32, 32, 3}, 255, 1), directory + "/cnn");
    ExportModel(testing::ModelOfEverything(), testing::RandomInputs({9, 15, 10, 3}, 255, 2), directory + "/everything");
  } catch (const std::exception& error) {
    std::cerr << "export_models: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
