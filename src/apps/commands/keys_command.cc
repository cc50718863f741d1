#include "apps/commands/keys_command.h"

#include <iostream>

#include <nlohmann/json.hpp>

#include "apps/command.h"
#include "apps/platform/data_directory.h"
#include "apps/platform/settings.h"
#include "store/meta/database.h"
#include "store/meta/principals.h"

namespace headrace::apps {
namespace {

using Listing = nlohmann::ordered_json;

// The principals of a data directory. A server that runs there sees what changes at once.
class Keys {
 public:
  explicit Keys(const SettingOptions& options) : directory_(options.Read().data_dir) {
    ValueOrThrow(directory_.Make());
    database_ = ValueOrThrow(store::Database::Open(directory_ / "meta.db"));
    principals_ = std::make_unique<store::Principals>(*database_, clock_);
  }
  store::Principals& principals() { return *principals_; }

 private:
  DataDirectory directory_;
  SystemClock clock_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::Principals> principals_;
};

void Create(const SettingOptions& options, const std::string& name, OutputFormat format) {
  const store::AccessKey key = ValueOrThrow(Keys(options).principals().Create(name));
  const Listing json{{"name", name},
                     {"account_id", key.account_id},
                     {"access_key_id", key.access_key_id},
                     {"secret_access_key", key.secret_access_key}};
  if (format == OutputFormat::kJson) {
    std::cout << json.dump(2) << "\n";
    return;
  }
  std::cout << fmt::format("{} has account {}\nexport AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\n", name,
                           key.account_id, key.access_key_id, key.secret_access_key);
}

void List(const SettingOptions& options, OutputFormat format) {
  Listing json = Listing::array();
  for (const store::Principal& principal : ValueOrThrow(Keys(options).principals().List())) {
    json.push_back({{"name", principal.name}, {"account_id", principal.account_id}, {"keys", principal.keys}});
    if (format == OutputFormat::kText)
      std::cout << fmt::format("{:<24} {} {}\n", principal.name, principal.account_id,
                               principal.keys == 0 ? "revoked" : fmt::format("{} key(s)", principal.keys));
  }
  if (format == OutputFormat::kJson) std::cout << json.dump(2) << "\n";
}

void Revoke(const SettingOptions& options, const std::string& name, OutputFormat format) {
  ValueOrThrow(Keys(options).principals().Revoke(name));
  if (format == OutputFormat::kJson)
    std::cout << Listing{{"name", name}, {"revoked", true}}.dump(2) << "\n";
  else
    std::cout << name << ": keys revoked; its buckets and jobs stay\n";
}

// One of the three; `act` gets the name where there is one.
CLI::App* AddAction(CLI::App& keys, const char* name, const char* help, bool takes_name,
                    void (*act)(const SettingOptions&, const std::string&, OutputFormat)) {
  CLI::App* command = keys.add_subcommand(name, help);
  auto options = std::make_shared<SettingOptions>(*command, std::initializer_list<std::string_view>{"data-dir"});
  auto principal = std::make_shared<std::string>();
  if (takes_name) command->add_option("NAME", *principal, "who: letters, digits, '.', '_', '-'")->required();
  auto format = AddOutputOption(*command);
  command->callback([=] { act(*options, *principal, *format); });
  return command;
}

}  // namespace

void AddKeysCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand("keys", "who may use the server: each name has an account of its own");
  command->require_subcommand(1);
  SetExample(*AddAction(*command, "create", "a new principal with a key pair", true, Create),
             "headrace keys create alice -o json");
  SetExample(
      *AddAction(*command, "list", "the principals and their accounts", false,
                 [](const SettingOptions& options, const std::string&, OutputFormat format) { List(options, format); }),
      "headrace keys list");
  SetExample(*AddAction(*command, "revoke", "takes all keys of a principal away", true, Revoke),
             "headrace keys revoke alice");
  SetExample(*command, "headrace keys create alice");
}

}  // namespace headrace::apps
