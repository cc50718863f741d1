#include "jobs/python/program_check.h"

#include <algorithm>

#include "jobs/archive/glance.h"
#include "jobs/request/hyperparameters.h"

namespace headrace::jobs {
namespace {

constexpr uint64_t kMostBytes = uint64_t{16} << 20;  // of a source that is looked through; most have a few thousand

std::string_view FirstWord(std::string_view& text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  text.remove_prefix(static_cast<size_t>(std::find_if_not(text.begin(), text.end(), is_space) - text.begin()));
  const auto end = std::find_if(text.begin(), text.end(),
                                [&](char c) { return is_space(c) || c == ',' || c == '\r' || c == ';' || c == '#'; });
  const auto word = text.substr(0, static_cast<size_t>(end - text.begin()));
  text.remove_prefix(word.size());
  return word;
}

// "tensorflow" of "tensorflow.keras".
std::string Top(std::string_view module) { return std::string(module.substr(0, module.find('.'))); }

void AddImports(std::string_view line, std::set<std::string>& modules) {
  const auto statement = FirstWord(line);
  if (statement == "from") {
    modules.insert(Top(FirstWord(line)));
  } else if (statement == "import") {
    for (const auto& end = line.end(); line.begin() != end;) {
      modules.insert(Top(FirstWord(line)));
      line.remove_prefix(std::min(line.find(','), line.size()));
      if (!line.empty()) line.remove_prefix(1);
    }
  }
}

size_t Count(std::string_view text, std::string_view what) {
  size_t count = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + what.size())) ++count;
  return count;
}

// Whether the source has, or makes pip install, what its program imports.
bool Brings(const ArchiveGlance& source, const std::string& module) {
  const auto has = [&](const std::string& name) { return source.names.count(name) != 0; };
  return has("requirements.txt") || has("setup.py") || has(module) || has(module + ".py");
}

}  // namespace

std::set<std::string> ImportsOf(std::string_view program) {
  std::set<std::string> modules;
  bool in_text = false;  // of several lines
  while (!program.empty()) {
    const auto end = std::min(program.find('\n'), program.size());
    const auto line = program.substr(0, end);
    program.remove_prefix(std::min(end + 1, program.size()));
    if (!in_text) AddImports(line.starts_with(' ') || line.starts_with('\t') ? "" : line, modules);
    if ((Count(line, "\"\"\"") + Count(line, "'''")) % 2 != 0) in_text = !in_text;
  }
  modules.erase("");
  return modules;
}

Status CheckProgram(Interpreters& interpreters, const TrainingRequest& request, Descriptor source) {
  const auto program = EntryPointName(request.hyperparameters.Text("sagemaker_program"));
  const auto wanted = FrameworkOfImage(request.algorithm.training_image);
  if (!request.algorithm.container_entrypoint.empty() || !program.ends_with(".py") || wanted.framework == nullptr)
    return {};
  if (interpreters.For(request.algorithm.training_image).has_framework) return {};
  const auto looked = GlanceAtArchive(std::move(source), program, kMostBytes);
  const std::string module = wanted.framework->module;
  if (!looked || !looked->file || Brings(*looked, module) || ImportsOf(*looked->file).count(module) == 0) return {};
  return Fail(
      ErrorCode::kFailedPrecondition,
      "HyperParameters.sagemaker_program: {} imports {}, and no Python of this machine has it. The owner of this "
      "machine can add one: {}. Or the job brings it: name it in requirements.txt beside {}.",
      program, module, CommandToAdd(wanted), program);
}

}  // namespace headrace::jobs
