#include "apps/client/server_options.h"

#include "apps/platform/data_directory.h"
#include "sagemaker/settings/settings.h"

namespace headrace::apps {
namespace {

bool EndpointIsConfigured() {
  const auto settings = ValueOrThrow(sagemaker::Settings::Load(sagemaker::ProcessEnvironment(), ""));
  return ValueOrThrow(settings.EndpointOf("sagemaker")).has_value();
}

sagemaker::Session SessionOf(const DataDirectory& directory) {
  const ServerAddress address = ValueOrThrow(directory.ReadAddress());
  const KeyPair keys = ValueOrThrow(directory.ReadKeys());
  sagemaker::SessionOptions options;
  options.client.endpoint_url = address.endpoint;
  options.client.region = address.region;
  options.client.credentials = sagemaker::Credentials{keys.access_key_id, keys.secret_access_key, ""};
  return sagemaker::Session(options);
}

}  // namespace

ServerOptions::ServerOptions(CLI::App& command, std::initializer_list<std::string_view> settings)
    : settings_(std::make_shared<SettingOptions>(command, settings)) {
  command.add_flag("--aws", *aws_, "speak to AWS, with the keys and the region of the shell");
}

sagemaker::Session ServerOptions::FindSession() const {
  if (*aws_ || EndpointIsConfigured()) return sagemaker::Session();
  return SessionOf(DataDirectory(ReadSettings().data_dir));
}

}  // namespace headrace::apps
