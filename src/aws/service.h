// A service as a table of operations. JSON, Query/XML and CBOR requests all reach an operation as JSON in the member
// names of the service's model ("TrainingJobName"), and its JSON reply goes back in the protocol that was asked in.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "aws/error.h"
#include "aws/identity.h"
#include "http/message.h"

namespace headrace::aws {

using Json = nlohmann::json;

// Runs on the pool for blocking work. Input: an object; numbers and booleans may arrive as strings (Query), timestamps
// as numbers (epoch seconds) or ISO 8601 text. Reply: an object; timestamps as numbers of epoch seconds (fractions
// allowed), named in Service::timestamps so that XML and CBOR can write them their way.
using Operation = std::function<Reply<Json>(const Call&, const Json&)>;

struct Service {
  std::string signing_name;   // "sagemaker", "logs", "monitoring", "sts", "iam"
  std::string target_prefix;  // "SageMaker", "Logs_20140328", "GraniteServiceVersion20100801"; empty: no JSON
  std::string json_version = "1.1";
  std::string query_version;  // "2011-06-15"; empty: no Query
  std::string xml_namespace;  // of Query replies
  std::map<std::string, Operation, std::less<>> operations;
  std::set<std::string, std::less<>> timestamps;  // reply members that are points in time
  std::set<std::string, std::less<>> maps;        // reply members that are maps: XML writes entries of key and value
};

// REST services (S3, sagemaker-runtime) take the request as it is: authenticated, its body already checked against the
// signature and stripped of aws-chunked framing while it is read.
using RestService = std::function<http::Task<http::Response>(const Call&, http::Request&)>;

}  // namespace headrace::aws
