// headrace/data/folders.h: data sets of files in folders, as keras.utils makes them. Included by headrace/data.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "headrace/data/dataset.h"
#include "headrace/data/image.h"

namespace headrace::data {

// A Dataset of files, and what they are.
class FolderDataset : public Dataset {
 public:
  FolderDataset(Dataset dataset, std::vector<std::string> files, std::vector<std::string> classes)
      : Dataset(std::move(dataset)), file_paths(std::move(files)), class_names(std::move(classes)) {}
  std::vector<std::string> file_paths;   // in the order of the elements, before those are shuffled
  std::vector<std::string> class_names;  // in the order of the labels
};

struct ImageFolderOptions {
  // Labels are the numbers of the subfolders, in the order of their names: "int" (int32 [n]), "categorical" (one-hot
  // float32 [n, classes]), "binary" (float32 [n, 1]), or "": none, and all images below the directory.
  std::string label_mode = "int";
  std::vector<std::string> class_names = {};  // those of the subfolders to take, in this order; empty: all
  std::string color_mode = "rgb";             // or "grayscale", "rgba" (PNG only)
  int64_t batch_size = 32;                    // 0: no batches
  std::array<int64_t, 2> image_size = {256, 256};
  // false: in the order of the names. The seed decides the order and, with a split, who is where: the same seed gives
  // the two sets of Keras.
  bool shuffle = true;
  std::optional<uint32_t> seed = std::nullopt;
  double validation_split = 0;  // the fraction that subset = "validation" has, and "training" has not
  std::string subset;
  ResizeMethod interpolation = ResizeMethod::kBilinear;
  bool follow_links = false;
  bool crop_to_aspect_ratio = false;  // cuts instead of distorting
  int num_parallel_calls = 4;         // threads that decode, at most as many as there are cores
};
// {float32 [n, height, width, channels] of 0 to 255, label} of the JPEG and PNG files below `directory`. float32 with
// kNearest, too, as Keras's documentation has it; Keras itself yields uint8 then.
FolderDataset ImageDatasetFromDirectory(const std::string& directory, ImageFolderOptions options = {});

struct TextFolderOptions {
  std::string label_mode = "int";  // as above
  std::vector<std::string> class_names = {};
  int64_t batch_size = 32;
  int64_t max_length = 0;  // bytes that are kept of a text; 0: all
  bool shuffle = true;
  std::optional<uint32_t> seed = std::nullopt;
  double validation_split = 0;
  std::string subset;
  bool follow_links = false;
};
// {text, label} of the .txt files below `directory`. A text is uint8 [bytes]; in a batch, zeros follow it up to the
// length of the longest.
FolderDataset TextDatasetFromDirectory(const std::string& directory, TextFolderOptions options = {});

}  // namespace headrace::data
