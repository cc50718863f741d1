// ListModels, ListEndpointConfigs and ListEndpoints.
#include "api/input.h"
#include "api/sagemaker/hosting/operations.h"
#include "api/sagemaker/hosting/shapes.h"
#include "api/sagemaker/listing.h"

namespace headrace::api::sagemaker {
namespace {

Shape HostingListShape(bool endpoints) {
  std::vector<Shape::Member> members{
      {"NextToken", Shape::Text(0, 8192, ".*")},
      {"MaxResults", Shape::Integer(1, 100)},
      {"CreationTimeAfter", Shape::Timestamp()},
      {"CreationTimeBefore", Shape::Timestamp()},
      {"NameContains", Shape::Text(0, 63, R"([a-zA-Z0-9\-]+)")},
      {"SortOrder", Shape::Enum({"Ascending", "Descending"})},
      {"SortBy", endpoints ? Shape::Enum({"Name", "CreationTime", "Status"}) : Shape::Enum({"Name", "CreationTime"})}};
  if (endpoints) {
    members.push_back({"LastModifiedTimeAfter", Shape::Timestamp()});
    members.push_back({"LastModifiedTimeBefore", Shape::Timestamp()});
    members.push_back(
        {"StatusEquals", Shape::Enum({"OutOfService", "Creating", "Updating", "SystemUpdating", "RollingBack",
                                      "InService", "Deleting", "Failed", "UpdateRollbackFailed"})});
  }
  return Shape::Structure(std::move(members));
}

struct ResourceListing {
  const char *operation, *member, *name, *arn;
  store::HostingResources::Kind kind;
};

Reply<Json> ListResources(const ResourceListing& listing, const SageMakerOptions& options, const Call& call,
                          const Json& input) {
  static const Shape kShape = HostingListShape(false);
  if (auto error = Validate(kShape, input)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto filter, ListingFilter(listing.operation, call, input, "Descending"));
  HEADRACE_REPLY(auto rows, store::HostingResources(options.database, listing.kind).List(filter));
  Json reply{{listing.member, Json::array()}};
  CutPage(listing.operation, filter, rows, reply);
  for (const auto& row : rows)
    reply[listing.member].push_back(
        {{listing.name, row.name}, {listing.arn, row.arn}, {"CreationTime", Seconds(row.created)}});
  return reply;
}

}  // namespace

Reply<Json> ListModels(const SageMakerOptions& options, const Call& call, const Json& input) {
  return ListResources({"ListModels", "Models", "ModelName", "ModelArn", store::HostingResources::Kind::kModel},
                       options, call, input);
}

Reply<Json> ListEndpointConfigs(const SageMakerOptions& options, const Call& call, const Json& input) {
  return ListResources({"ListEndpointConfigs", "EndpointConfigs", "EndpointConfigName", "EndpointConfigArn",
                        store::HostingResources::Kind::kEndpointConfig},
                       options, call, input);
}

Reply<Json> ListEndpoints(const SageMakerOptions& options, const Call& call, const Json& input) {
  static const Shape kShape = HostingListShape(true);
  if (auto error = Validate(kShape, input)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(auto filter, ListingFilter("ListEndpoints", call, input, "Descending"));
  AddStatusFilters(input, filter);
  HEADRACE_REPLY(auto rows, store::Endpoints(options.database).List(filter));
  Json reply{{"Endpoints", Json::array()}};
  CutPage("ListEndpoints", filter, rows, reply);
  for (const auto& row : rows)
    reply["Endpoints"].push_back({{"EndpointName", row.name},
                                  {"EndpointArn", row.arn},
                                  {"CreationTime", Seconds(row.created)},
                                  {"LastModifiedTime", Seconds(row.modified)},
                                  {"EndpointStatus", row.status}});
  return reply;
}

}  // namespace headrace::api::sagemaker
