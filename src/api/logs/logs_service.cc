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
  const auto tags = std::make_shared<store::Tags>(database);
  const auto add_tagging = [&](const char* name,
                               Reply<Json> (*operation)(store::Logs&, store::Tags&, const Call&, const Json&)) {
    service.operations[name] = [store, tags, operation](const Call& call, const Json& input) {
      return operation(*store, *tags, call, input);
    };
  };
  add_tagging("CreateLogGroup", CreateLogGroup);
  add_tagging("DeleteLogGroup", DeleteLogGroup);
  add_tagging("TagResource", TagResource);
  add_tagging("UntagResource", UntagResource);
  add_tagging("ListTagsForResource", ListTagsForResource);
  add_tagging("TagLogGroup", TagLogGroup);
  add_tagging("UntagLogGroup", UntagLogGroup);
  add_tagging("ListTagsLogGroup", ListTagsLogGroup);
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
