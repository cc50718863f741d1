// The places where credentials may be: each returns keys, or nothing, or "Configuration" for what is half there.
#pragma once

#include <optional>
#include <string>

#include "sagemaker/credentials/chain.h"

namespace headrace::sagemaker {

using Found = Outcome<std::optional<FoundCredentials>>;

inline constexpr size_t kMaxToken = size_t{1} << 20;  // bytes of a file with a token

inline Found Nothing() { return std::optional<FoundCredentials>(); }
ServiceError WrongConfiguration(std::string message);

// Keys in plain text.
Found KeysOfEnvironment(const Environment& environment);
// Of a section of a file; `method` names the file's kind; `section` may be null.
Found KeysOfSection(const ConfigSection* section, const std::string& method);

// What a profile says: web identity, single sign-on (refused), keys in the credentials file, a login (refused), a
// process, keys in the config file. `variables`: whether the environment counts for the web identity.
Found KeysOfProfile(const CredentialPlaces& places, const std::string& profile, bool variables);
// A profile with role_arn, and source_profile or credential_source.
Found KeysOfRole(const CredentialPlaces& places, const std::string& profile);
// A token in a file, which STS takes instead of a signature.
Found KeysOfWebIdentity(const CredentialPlaces& places, const std::string& profile, bool variables);
// What credential_process prints.
Found KeysOfProcess(const std::string& command);
// The service of a container, where AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI is set.
Found KeysOfContainer(const CredentialPlaces& places);
// The machine's role, from the metadata service of EC2: at most a second.
Found KeysOfMachine(const CredentialPlaces& places);

// {"AccessKeyId", "SecretAccessKey", TOKEN, "Expiration"}, as containers, machines and processes hand keys out.
Found KeysOfDocument(const std::string& text, const char* token_name, const std::string& method);

}  // namespace headrace::sagemaker
