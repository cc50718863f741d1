// Deployment: all that an endpoint needs to serve, taken from its configuration and models when it was created or
// updated, and kept with the endpoint as JSON.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace headrace::jobs {

struct HostedModel {
  std::string name, image;
  std::string data;        // s3://BUCKET/KEY of a tar archive, or of a prefix
  bool is_prefix = false;  // the files lie below `data` as they are
  std::map<std::string, std::string> environment;
  std::vector<std::string> notes;  // lines for the instances' logs: what was asked for and has no effect
};

struct Variant {
  std::string name, instance_type;
  int count = 1;
  double weight = 1;
  int startup_seconds = 240;  // until the first answer to /ping
  std::string routing;        // the RoutingStrategy it was asked for with; "": none
  HostedModel model;
};

struct Deployment {
  // Counts an endpoint's deployments. Weights and numbers of instances may change within one; models may not.
  int64_t id = 1;
  std::string config_name;
  std::string policy;  // the DeploymentConfig it was asked for with, as JSON; "": none
  std::vector<Variant> variants;

  const Variant* Find(const std::string& variant) const;
};

std::string ToJson(const Deployment& deployment);
Result<Deployment> ParseDeployment(const std::string& text);

}  // namespace headrace::jobs
