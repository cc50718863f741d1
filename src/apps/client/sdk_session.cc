#include "apps/client/sdk_session.h"

#include <cstdlib>
#include <memory>

#include "apps/commands/step_display.h"
#include "apps/platform/data_directory.h"

namespace headrace::apps {
namespace {

bool NamesSomebody(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

}  // namespace

sagemaker::Session FindSession(const std::string& data_dir) {
  for (const char* name : {"AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"}) {
    if (NamesSomebody(name)) return sagemaker::Session();
  }
  const DataDirectory directory(data_dir);
  const ServerAddress address = ValueOrThrow(directory.ReadAddress());
  const KeyPair keys = ValueOrThrow(directory.ReadKeys());
  sagemaker::SessionOptions options;
  options.client.endpoint_url = address.endpoint;
  options.client.region = address.region;
  options.client.credentials = sagemaker::Credentials{keys.access_key_id, keys.secret_access_key, ""};
  return sagemaker::Session(options);
}

sagemaker::TransferOptions ShownTransfer(const std::string& what) {
  sagemaker::TransferOptions transfer;
  auto display = std::make_shared<StepDisplay>(StepDisplay::OfProcess());
  transfer.progress = [display, what](uint64_t done, uint64_t total) { display->Show(what, done, total); };
  return transfer;
}

}  // namespace headrace::apps
