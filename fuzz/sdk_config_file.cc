// Files of settings: whatever is in them, no setting has a name in capitals or blanks around it, and a section that was
// read is found by its name.
#include <string_view>

#include "sagemaker/settings/config_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace headrace::sagemaker;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  (void)ShellWords(text);
  const auto file = ParseConfigFile(text);
  if (!file) return 0;
  for (const auto& [name, section] : file->sections) {
    if (file->Find(name) != &section) __builtin_trap();
    for (const auto& [option, value] : section) {
      if (option.empty() || option.find_first_of("=:\n") != std::string::npos) __builtin_trap();
      if (option.front() == ' ' || option.back() == ' ' || value.text.ends_with(' ')) __builtin_trap();
      for (const char c : option) {
        if (c >= 'A' && c <= 'Z') __builtin_trap();
      }
      if (value.is_nested && !value.text.empty()) __builtin_trap();
    }
  }
  return 0;
}
