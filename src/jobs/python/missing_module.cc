#include "jobs/python/missing_module.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "jobs/python/framework.h"

namespace headrace::jobs {
namespace {

// Packages whose modules have another name.
const std::map<std::string_view, const char*> kPackages = {{"Crypto", "pycryptodome"},
                                                           {"OpenSSL", "pyOpenSSL"},
                                                           {"PIL", "pillow"},
                                                           {"attr", "attrs"},
                                                           {"bs4", "beautifulsoup4"},
                                                           {"cv2", "opencv-python-headless"},
                                                           {"dateutil", "python-dateutil"},
                                                           {"dotenv", "python-dotenv"},
                                                           {"fitz", "pymupdf"},
                                                           {"git", "GitPython"},
                                                           {"google", "protobuf"},
                                                           {"jwt", "PyJWT"},
                                                           {"magic", "python-magic"},
                                                           {"pkg_resources", "setuptools<81"},
                                                           {"skimage", "scikit-image"},
                                                           {"sklearn", "scikit-learn"},
                                                           {"tensorflow_addons", "tensorflow-addons"},
                                                           {"tensorflow_datasets", "tensorflow-datasets"},
                                                           {"tensorflow_hub", "tensorflow-hub"},
                                                           {"torch", "torch"},
                                                           {"umap", "umap-learn"},
                                                           {"yaml", "PyYAML"}};

bool IsPartOfName(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

// "tensorflow.keras" of "ModuleNotFoundError: No module named 'tensorflow.keras'"; "" of other lines.
std::string MissingModuleOf(std::string_view line) {
  constexpr std::string_view kSaid = "No module named ";
  const auto at = line.rfind(kSaid);
  if (at == line.npos) return "";
  line.remove_prefix(at + kSaid.size());
  if (!line.empty() && (line.front() == '\'' || line.front() == '"')) line.remove_prefix(1);
  const auto end = std::find_if_not(line.begin(), line.end(), IsPartOfName);
  return std::string(line.substr(0, static_cast<size_t>(end - line.begin())));
}

std::string RemedyFor(const std::string& module, const std::string& image) {
  const auto top = module.substr(0, module.find('.'));
  const auto* framework = FindFramework(top == "keras" ? "tensorflow" : top);
  if (framework != nullptr && (top == module || top == "keras")) {
    const auto asked = FrameworkOfImage(image);
    return fmt::format("The Python that ran has no {}; the owner of this machine can add one that has it: {}", top,
                       CommandToAdd(asked.framework == framework ? asked : FrameworkWanted{framework, ""}));
  }
  if (top == "sagemaker_tensorflow" || top == "sagemaker_training" || top == "horovod") {
    if (top == module)
      return fmt::format("'{}' comes with Headrace, and this installation has none: install Headrace as a whole", top);
    return fmt::format("Headrace's own '{}' has no '{}': bring the real package in requirements.txt", top, module);
  }
  if (top == "smdistributed")
    return "SageMaker's own libraries for accelerators are not here: distribute by torch_distributed, MPI or "
           "TensorFlow's "
           "strategies instead";
  if (framework != nullptr) return fmt::format("The version of {} that ran has no '{}'", top, module);
  return fmt::format(
      "If '{}' is no file of the source's that was left behind, name its package in requirements.txt beside "
      "the entry point: {}",
      top, PackageOfModule(top));
}

}  // namespace

std::string PackageOfModule(const std::string& module) {
  const auto found = kPackages.find(module);
  return found == kPackages.end() ? module : found->second;
}

std::string RemedyForMissingModule(const std::vector<std::string>& last_lines, const std::string& image) {
  for (auto line = last_lines.rbegin(); line != last_lines.rend(); ++line)
    if (const auto module = MissingModuleOf(*line); !module.empty()) return RemedyFor(module, image);
  return "";
}

}  // namespace headrace::jobs
