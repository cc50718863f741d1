// The folder that AWS_DATA_PATH names. The SageMaker SDKs give their STS client a hard-wired address, which no
// endpoint variable changes; but botocore looks here for a service's endpoint rules first, and ours send it to us. The
// rules of the other services serve clients too old for AWS_ENDPOINT_URL; there an endpoint that is given still wins.
#pragma once

#include <map>
#include <string>

namespace headrace::apps {

// File names below the folder, and what is in them. `endpoint`: "http://127.0.0.1:4567".
std::map<std::string, std::string> AwsDataFiles(const std::string& endpoint);

}  // namespace headrace::apps
