#include "api/cloudwatch/cloudwatch_service.h"

#include <memory>

#include "api/cloudwatch/operations.h"

namespace headrace::api {

aws::Service CloudWatchService(store::Database& database) {
  using namespace cloudwatch;
  aws::Service service;
  service.signing_name = "monitoring";
  service.target_prefix = "GraniteServiceVersion20100801";
  service.json_version = "1.0";
  service.query_version = "2010-08-01";
  service.xml_namespace = "http://monitoring.amazonaws.com/doc/2010-08-01/";
  const auto store = std::make_shared<store::Metrics>(database);
  const auto add = [&](const char* name, Reply<Json> (*operation)(store::Metrics&, const Call&, const Json&)) {
    service.operations[name] = [store, operation](const Call& call, const Json& input) {
      return operation(*store, call, input);
    };
  };
  add("PutMetricData", PutMetricData);
  add("GetMetricStatistics", GetMetricStatistics);
  add("GetMetricData", GetMetricData);
  add("ListMetrics", ListMetrics);
  service.timestamps = {"Timestamp", "Timestamps"};
  service.maps = {"ExtendedStatistics"};
  return service;
}

}  // namespace headrace::api
