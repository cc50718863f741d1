#include "data/folders/index.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "base/result.h"
#include "data/numpy_shuffle.h"

namespace headrace::data {
namespace {

namespace fs = std::filesystem;

bool EndsAsWanted(const std::string& name, const std::vector<std::string>& endings) {
  std::string small = name;
  std::transform(small.begin(), small.end(), small.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::any_of(endings.begin(), endings.end(),
                     [&](const std::string& ending) { return small.ends_with(ending); });
}

// Of a directory and those below it, each in the order of their names, one directory after the other.
std::vector<std::string> FilesBelow(const FolderQuestion& question, const std::string& directory) {
  std::map<std::string, std::vector<std::string>> names;  // by the directory in which they lie
  const auto links =
      question.follow_links ? fs::directory_options::follow_directory_symlink : fs::directory_options::none;
  std::error_code error;
  fs::recursive_directory_iterator at(directory, links, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    const bool file = !at->is_directory(error) && EndsAsWanted(at->path().filename().string(), question.endings);
    if (file) names[at->path().parent_path().string()].push_back(at->path().filename().string());
    error.clear();
  }
  if (error)
    throw MakeError(ErrorCode::kNotFound, "{}: {}: cannot be read: {}", question.call, directory, error.message());
  std::vector<std::string> files;
  for (auto& [parent, inside] : names) {
    std::sort(inside.begin(), inside.end());
    for (const std::string& name : inside) files.push_back(parent + "/" + name);
  }
  return files;
}

std::vector<std::string> Subfolders(const FolderQuestion& question) {
  std::vector<std::string> found;
  std::error_code error, unknown;  // an entry whose kind cannot be known, a link to itself say, is no folder
  for (fs::directory_iterator at(question.directory, error); !error && at != fs::directory_iterator();
       at.increment(error))
    if (at->is_directory(unknown) && !at->path().filename().string().starts_with('.'))
      found.push_back(at->path().filename().string());
  if (error)
    throw MakeError(ErrorCode::kNotFound, "{}: {}: cannot be read: {}", question.call, question.directory,
                    error.message());
  std::sort(found.begin(), found.end());
  for (const std::string& name : question.class_names)
    if (!std::binary_search(found.begin(), found.end(), name))
      throw MakeError(ErrorCode::kInvalidArgument, "{}: class_names: found \"{}\", wanted names of folders in {}",
                      question.call, name, question.directory);
  return question.class_names.empty() ? found : question.class_names;
}

void CheckFolderQuestion(const FolderQuestion& question) {
  const auto& mode = question.label_mode;
  if (mode != "" && mode != "int" && mode != "categorical" && mode != "binary")
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: label_mode: found \"{}\", wanted \"int\", \"categorical\", \"binary\" or \"\"", question.call,
                    mode);
  if (mode.empty() && !question.class_names.empty())
    throw MakeError(ErrorCode::kInvalidArgument, "{}: found class_names without a label_mode, wanted both or neither",
                    question.call);
  const double split = question.validation_split;
  if (!(split >= 0 && split < 1))
    throw MakeError(ErrorCode::kInvalidArgument, "{}: validation_split: found {}, wanted 0 to 1", question.call, split);
  const auto& subset = question.subset;
  if (subset != "" && subset != "training" && subset != "validation")
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: subset: found \"{}\", wanted \"training\" or \"validation\"; for both call it twice",
                    question.call, subset);
  if ((split > 0) == subset.empty())
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: found validation_split {} and subset \"{}\", wanted both or neither", question.call, split,
                    subset);
  if (split > 0 && question.shuffle && !question.seed)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: found validation_split without a seed, wanted one, so that no file is in both subsets",
                    question.call);
}

template <typename T>
void KeepSubset(const FolderQuestion& question, std::vector<T>& items) {
  const auto held = static_cast<ptrdiff_t>(question.validation_split * static_cast<double>(items.size()));
  const auto at = items.end() - held;
  if (question.subset == "training") items.erase(at, items.end());
  if (question.subset == "validation") items.erase(items.begin(), at);
}

}  // namespace

FolderIndex IndexFolder(const FolderQuestion& question) {
  CheckFolderQuestion(question);
  FolderIndex index;
  if (question.label_mode.empty()) {
    index.files = FilesBelow(question, question.directory);
  } else {
    index.class_names = Subfolders(question);
    for (size_t label = 0; label < index.class_names.size(); ++label) {
      for (std::string& file : FilesBelow(question, question.directory + "/" + index.class_names[label]))
        index.files.push_back(std::move(file));
      index.labels.resize(index.files.size(), static_cast<int32_t>(label));
    }
    if (question.label_mode == "binary" && index.class_names.size() != 2)
      throw MakeError(ErrorCode::kInvalidArgument, "{}: label_mode \"binary\": found {} classes in {}, wanted 2",
                      question.call, index.class_names.size(), question.directory);
  }
  if (question.shuffle) {
    const uint32_t seed = question.seed.value_or(0);
    NumpyShuffle(seed, index.files);
    NumpyShuffle(seed, index.labels);
  }
  KeepSubset(question, index.files);
  KeepSubset(question, index.labels);
  if (index.files.empty())
    throw MakeError(ErrorCode::kNotFound, "{}: {}: found no file for it, wanted some that end in {}", question.call,
                    question.directory, fmt::join(question.endings, ", "));
  return index;
}

}  // namespace headrace::data
