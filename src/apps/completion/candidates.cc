#include "apps/completion/candidates.h"

#include <algorithm>
#include <cctype>

#include <CLI/CLI.hpp>

namespace headrace::apps {
namespace {

bool TakesValue(const CLI::Option& option) { return option.get_items_expected_max() > 0; }
bool IsPositional(const CLI::Option& option) { return !option.nonpositional(); }

// A command's own subcommands and options; those of its groups, which have no name, count as its own.
std::vector<const CLI::App*> SubcommandsOf(const CLI::App& command) {
  return command.get_subcommands(
      [](const CLI::App* inner) { return !inner->get_name().empty() && !inner->get_group().empty(); });
}

std::vector<const CLI::Option*> OptionsOf(const CLI::App& command) {
  std::vector<const CLI::Option*> options = command.get_options();
  for (const CLI::App* group :
       command.get_subcommands([](const CLI::App* inner) { return inner->get_name().empty(); })) {
    for (const CLI::Option* option : OptionsOf(*group)) {
      if (option != group->get_help_ptr()) options.push_back(option);
    }
  }
  return options;
}

const CLI::Option* FindOption(const CLI::App& command, const std::string& word) {
  for (const CLI::Option* option : OptionsOf(command)) {
    if (!IsPositional(*option) && option->check_name(word)) return option;
  }
  return nullptr;
}

// Where a command line has come to before its last word.
struct Place {
  const CLI::App* command;
  const CLI::Option* option = nullptr;  // whose value comes next
  size_t positionals = 0;               // that have been given
};

Place Follow(const CLI::App& program, std::span<const std::string> words) {
  Place place{&program};
  for (const std::string& word : words) {
    if (std::exchange(place.option, nullptr) != nullptr) continue;
    if (word.starts_with('-')) {
      const CLI::Option* option = FindOption(*place.command, word);
      if (option != nullptr && TakesValue(*option)) place.option = option;
      continue;
    }
    const auto inner = SubcommandsOf(*place.command);
    const auto named = std::ranges::find(inner, word, [](const CLI::App* command) { return command->get_name(); });
    if (named != inner.end()) {
      place = {*named};
    } else {
      ++place.positionals;
    }
  }
  return place;
}

// The argument that comes next; the last one may take many.
const CLI::Option* NextPositional(const Place& place) {
  size_t before = place.positionals;
  for (const CLI::Option* option : OptionsOf(*place.command)) {
    if (!IsPositional(*option)) continue;
    const auto takes = static_cast<size_t>(option->get_items_expected_max());
    if (before < takes) return option;
    before -= takes;
  }
  return nullptr;
}

// The words of "text|json", or of "TEXT:{png,npy}", as options are declared.
std::vector<Candidate> ChoicesOf(const CLI::Option& option) {
  std::string text = option.get_option_text();
  char separator = '|';
  if (text.find('|') == std::string::npos) {
    const std::string type = option.get_type_name();
    const size_t open = type.find('{'), close = type.rfind('}');
    if (open == std::string::npos || close == std::string::npos) return {};
    text = type.substr(open + 1, close - open - 1);
    separator = ',';
  }
  std::vector<Candidate> choices;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    choices.push_back({text.substr(begin, end - begin), ""});
    begin = end + 1;
  }
  return choices;
}

std::vector<Candidate> ValuesOf(const CLI::Option& option, const NamesOf& names) {
  std::string kind = option.get_single_name();
  std::ranges::transform(kind, kind.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (kind == "jobs") kind = "job";
  if (kind != "job" && kind != "endpoint") return ChoicesOf(option);
  std::vector<Candidate> candidates;
  for (std::string& name : names(kind)) candidates.push_back({std::move(name), ""});
  return candidates;
}

std::vector<Candidate> NamesOfOptions(const CLI::App& command) {
  std::vector<Candidate> candidates;
  for (const CLI::Option* option : OptionsOf(command)) {
    if (IsPositional(*option) || option->get_group().empty()) continue;
    const bool is_long = !option->get_lnames().empty();
    candidates.push_back({is_long ? "--" + option->get_lnames().front() : "-" + option->get_snames().front(),
                          option->get_description()});
  }
  return candidates;
}

std::vector<Candidate> AllAt(const Place& place, bool an_option, const NamesOf& names) {
  if (place.option != nullptr) return ValuesOf(*place.option, names);
  if (an_option) return NamesOfOptions(*place.command);
  std::vector<Candidate> candidates;
  for (const CLI::App* inner : SubcommandsOf(*place.command))
    candidates.push_back({inner->get_name(), inner->get_description()});
  const CLI::Option* argument = candidates.empty() ? NextPositional(place) : nullptr;
  return argument != nullptr ? ValuesOf(*argument, names) : candidates;
}

}  // namespace

std::vector<Candidate> Candidates(const CLI::App& program, std::span<const std::string> words, const NamesOf& names) {
  const std::string begun = words.empty() ? "" : words.back();
  const Place place = Follow(program, words.empty() ? words : words.first(words.size() - 1));
  std::vector<Candidate> candidates = AllAt(place, begun.starts_with('-'), names);
  std::erase_if(candidates, [&](const Candidate& candidate) { return !candidate.text.starts_with(begun); });
  return candidates;
}

}  // namespace headrace::apps
