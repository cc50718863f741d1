#include "apps/command.h"

#include <map>

namespace headrace::apps {

std::shared_ptr<OutputFormat> AddOutputOption(CLI::App& command) {
  auto format = std::make_shared<OutputFormat>(OutputFormat::kText);
  const std::map<std::string, OutputFormat> names{{"text", OutputFormat::kText}, {"json", OutputFormat::kJson}};
  command.add_option("-o,--output", *format, "text for people or json for scripts")
      ->transform(CLI::CheckedTransformer(names))
      ->option_text("text|json");
  // The option writes through the pointer when the command line is parsed, so the command keeps it alive.
  command.parse_complete_callback([format] {});
  return format;
}

void SetExample(CLI::App& command, const std::string& example) { command.footer("Example:\n  " + example); }

}  // namespace headrace::apps
