// headrace/savedmodel.h: models in TensorFlow's SavedModel format.
//
//   savedmodel::Export(model, "export/1");
//   savedmodel::LoadedModel loaded = savedmodel::Load("export");  // the highest version below export/
//   Tensor scores = loaded.model.predict(images);                 // the same answers as before
//
// Everything here throws headrace::Error: kNotFound for a directory that holds no SavedModel, kDataLoss for files that
// are truncated or corrupt, kResourceExhausted for files above the limits, kInvalidArgument for misuse and for graphs
// with operations that Headrace does not run (the message names operation and node).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "headrace/error.h"
#include "headrace/keras.h"
#include "headrace/tensor.h"

namespace headrace::savedmodel {

struct ExportOptions {
  std::string input_name = "image";  // names in the signature serving_default
  std::string output_name = "scores";
  bool overwrite = false;  // replace an existing directory instead of throwing kFailedPrecondition
};

// Writes saved_model.pb and variables/ in inference form to `directory`, whose parents are made: TensorFlow 1 and 2,
// TensorFlow Serving and Load() read it. Input and output are float32 with an unknown batch dimension. Equal models
// give equal bytes. All is written to a hidden sibling which is renamed at the end, so a version directory (export/1)
// appears complete or not at all.
void Export(const keras::Model& model, const std::string& directory, const ExportOptions& options = {});

// A named input or output of a signature; shape()[0] is -1, the batch.
struct TensorInfo {
  std::string name;
  DType dtype = DType::kFloat32;
  Shape shape;
};

struct Signature {
  std::string name;         // "serving_default"
  std::string method_name;  // "tensorflow/serving/predict"
  std::vector<TensorInfo> inputs, outputs;
};

struct LoadOptions {
  std::string signature = "serving_default";
  std::string tag = "serve";  // the meta graph whose only tag it is
  // Limits, refused before memory is allocated: bytes of saved_model.pb, and of all variables together.
  uint64_t max_graph_bytes = uint64_t{1} << 31;
  uint64_t max_variable_bytes = uint64_t{1} << 36;
};

struct LoadedModel {
  // One layer an operation of the graph, named after its node; runs predict() and, compiled, evaluate() and fit().
  keras::Model model;
  Signature signature;    // the one that `model` computes
  std::string directory;  // the version directory it came from
};

// Reads one signature with one input and one output. `directory` is a version directory or the parent of numeric ones.
LoadedModel Load(const std::string& directory, const LoadOptions& options = {});

// `directory` itself when it holds a saved_model.pb, else its numeric child with the highest number that does.
// Throws kNotFound and says what there is.
std::string ResolveVersion(const std::string& directory);

}  // namespace headrace::savedmodel
