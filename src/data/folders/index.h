// The files below a directory with their classes, in Keras's order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace headrace::data {

struct FolderQuestion {
  std::string call;  // begins messages
  std::string directory;
  std::vector<std::string> endings;  // ".txt", in small letters
  std::string label_mode;
  std::vector<std::string> class_names;
  bool follow_links = false;
  bool shuffle = true;
  std::optional<uint32_t> seed;
  double validation_split = 0;
  std::string subset;
};

struct FolderIndex {
  std::vector<std::string> files;
  std::vector<int32_t> labels;  // empty without classes
  std::vector<std::string> class_names;
};

// The subset that was asked for. Throws kNotFound for a missing directory or one without such files, kInvalidArgument
// for options that do not go together.
FolderIndex IndexFolder(const FolderQuestion& question);

}  // namespace headrace::data
