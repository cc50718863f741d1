#include "api/logs/logs_service.h"

#include <memory>

#include "api/logs/operations.h"

namespace headrace::api {

aws::Service LogsService(store::Database& database) {
  using namespace logs;
  aws::Service service;
  service.signing_name = "logs";
  service.target_prefix = "Logs_20140328";
  service.json_version = "1.1";
  const auto store = std::make_shared<store::Logs>(database);
  const auto add = [&](const char* name, Reply<Json> (*operation)(store::Logs&, const Call&, const Json&)) {
    service.operations[name] = [store, operation](const Call& call, const Json& input) {
      return operation(*store, call, input);
    };
  };
  add("CreateLogGroup", CreateLogGroup);
  add("DeleteLogGroup", DeleteLogGroup);
  add("DescribeLogGroups", DescribeLogGroups);
  add("PutRetentionPolicy", PutRetentionPolicy);
  add("DeleteRetentionPolicy", DeleteRetentionPolicy);
  add("CreateLogStream", CreateLogStream);
  add("DeleteLogStream", DeleteLogStream);
  add("DescribeLogStreams", DescribeLogStreams);
  add("PutLogEvents", PutLogEvents);
  add("GetLogEvents", GetLogEvents);
  add("FilterLogEvents", FilterLogEvents);
  return service;  // times are integer milliseconds in plain fields
}

}  // namespace headrace::api
