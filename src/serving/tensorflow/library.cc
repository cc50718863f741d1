#include "serving/tensorflow/library.h"

#include <dlfcn.h>

#include "base/log.h"
#include "serving/tensorflow/c_api.h"

namespace headrace::serving {
namespace {

// Its own symbols come first: it brings a protobuf and an Abseil of its own, of other versions than ours. Never closed:
// its threads would go on in unmapped code.
void* OpenLibrary(const std::string& path) {
#ifdef RTLD_DEEPBIND
  return ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
#else
  return ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
#endif
}

std::string LastError() {
  const char* error = ::dlerror();
  return error != nullptr ? error : "unknown error";
}

}  // namespace

Result<const capi::Functions*> TensorFlowLibrary::Open() {
  const std::lock_guard lock(mutex_);
  if (opened_) return *opened_;
  if (path_ == "none" || path_.empty()) {
    opened_ = Fail(ErrorCode::kNotFound, "TensorFlow's library is switched off");
    return *opened_;
  }
  const std::string names[] = {path_ == "auto" ? "libtensorflow.so.2" : path_,
                               path_ == "auto" ? "libtensorflow_cc.so.2" : ""};
  std::string why;
  for (const std::string& name : names) {
    if (name.empty()) continue;
    void* handle = OpenLibrary(name);
    if (handle == nullptr) {
      why += (why.empty() ? "" : "; ") + LastError();
      continue;
    }
    auto functions = std::make_shared<capi::Functions>();
    std::string missing;
#define HEADRACE_TF_LOOK_UP(name, result, arguments)                                     \
  functions->name = reinterpret_cast<decltype(functions->name)>(::dlsym(handle, #name)); \
  if (functions->name == nullptr) missing += " " #name;
    HEADRACE_TF_FUNCTIONS(HEADRACE_TF_LOOK_UP)
#undef HEADRACE_TF_LOOK_UP
    if (!missing.empty()) {
      why += fmt::format("{}{} lacks{}", why.empty() ? "" : "; ", name, missing);
      continue;
    }
    Log(LogLevel::kInfo, "TensorFlow {} from {}", functions->TF_Version(), name);
    functions_ = std::move(functions);
    opened_ = functions_.get();
    return *opened_;
  }
  opened_ = Fail(ErrorCode::kNotFound, "TensorFlow's library cannot be opened: {}", why);
  return *opened_;
}

}  // namespace headrace::serving
