// Who signs: the first of the places where botocore looks that has keys. Environment; the profile's role, web identity,
// keys in the credentials file, process, keys in the config file; a container's service; at last the machine's
// metadata.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "sagemaker/settings/settings.h"
#include "sagemaker/transport/http.h"

namespace headrace::sagemaker {

struct FoundCredentials {
  Credentials keys;
  std::string method;                 // botocore's name of the place: "env", "shared-credentials-file", ...
  std::optional<UnixMillis> expires;  // they are looked for again before that
  bool ambient = false;               // nobody named them for this endpoint: a profile or the machine holds them
};

// Asks STS for keys: an operation (AssumeRole, AssumeRoleWithWebIdentity), its parameters, and who asks. Keys that are
// "" do not sign: a web identity's token stands in the parameters.
using AskSts = std::function<Outcome<FoundCredentials>(
    const std::string& operation, const std::map<std::string, std::string>& parameters, const FoundCredentials& asker)>;

struct CredentialPlaces {
  const Settings& settings;
  HttpSender& http;  // for services of this machine: no proxy
  AskSts ask_sts;
  bool instance_metadata = true;  // not where the endpoint is not AWS's own
  std::stop_token stop;
};

// "NoCredentials" with the places when none has any; "Configuration" for what is half there (a key without its secret).
Outcome<FoundCredentials> FindCredentials(const CredentialPlaces& places);

}  // namespace headrace::sagemaker
