// Which server a subcommand speaks to: the endpoint that is configured for SageMaker as botocore reads it (variables,
// the profile), else the server of the data directory. AWS itself only where --aws says so: keys for AWS that lie about
// in the shell send no job there by themselves.
#pragma once

#include <initializer_list>
#include <memory>
#include <string_view>

#include "headrace/sagemaker.h"

#include "apps/client/api_client.h"
#include "apps/platform/settings.h"

namespace headrace::apps {

class ServerOptions {
 public:
  // `settings`: more of them that the command takes.
  explicit ServerOptions(CLI::App& command, std::initializer_list<std::string_view> settings = {"data-dir"});

  Settings ReadSettings() const { return settings_->Read(); }
  // Throws kNotFound with what to do when no endpoint is configured and no server has begun to serve here.
  sagemaker::Session FindSession() const;
  ApiClient FindClient() const { return ApiClient(FindSession()); }

 private:
  std::shared_ptr<SettingOptions> settings_;
  std::shared_ptr<bool> aws_ = std::make_shared<bool>(false);
};

}  // namespace headrace::apps
