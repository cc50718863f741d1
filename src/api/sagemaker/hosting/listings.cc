// ListModels, ListEndpointConfigs and ListEndpoints.
#include "api/input.h"
#include "api/sagemaker/hosting/operations.h"
#include "api/sagemaker/hosting/shapes.h"
#include "aws/page_token.h"

namespace headrace::api::sagemaker {
namespace {

constexpr int64_t kHostingPage = 10;

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

Reply<store::ResourceFilter> HostingFilter(const char* listing, const Call& call, const Json& input) {
  store::ResourceFilter filter;
  filter.account_id = call.caller.account_id;
  filter.name_contains = TextOr(input, "NameContains");
  filter.status = TextOr(input, "StatusEquals");
  filter.created_after = TimeIn(input, "CreationTimeAfter");
  filter.created_before = TimeIn(input, "CreationTimeBefore");
  filter.modified_after = TimeIn(input, "LastModifiedTimeAfter");
  filter.modified_before = TimeIn(input, "LastModifiedTimeBefore");
  const std::string sort_by = TextOr(input, "SortBy");
  if (sort_by == "Name") filter.order = store::ResourceOrder::kName;
  if (sort_by == "Status") filter.order = store::ResourceOrder::kStatus;
  filter.descending = TextOr(input, "SortOrder", "Descending") == "Descending";
  filter.limit = static_cast<size_t>(IntegerOr(input, "MaxResults", kHostingPage)) + 1;  // one more: is there a page?
  if (const auto token = TextOr(input, "NextToken"); !token.empty()) {
    HEADRACE_REPLY_PASS(const auto position, aws::ReadPageToken(listing, token));
    const size_t blank = position.find(' ');  // "SEQUENCE KEY"
    if (blank == std::string::npos) return aws::Refuse("ValidationException", "NextToken is not one of ours");
    filter.after =
        store::ResourceCursor{position.substr(blank + 1), std::strtoll(position.substr(0, blank).c_str(), nullptr, 10)};
  }
  return filter;
}

// Cuts the one row too many off and says where it would have gone on.
template <typename Rows, typename CursorOf>
void CutPage(const char* listing, const store::ResourceFilter& filter, Rows& rows, CursorOf cursor_of, Json& reply) {
  if (rows.size() < filter.limit) return;
  rows.pop_back();
  const auto cursor = cursor_of(rows.back(), filter.order);
  reply["NextToken"] = aws::MakePageToken(listing, std::to_string(cursor.sequence) + " " + cursor.key);
}

struct ResourceListing {
  const char *operation, *member, *name, *arn;
  store::HostingResources::Kind kind;
};

Reply<Json> ListResources(const ResourceListing& listing, const SageMakerOptions& options, const Call& call,
                          const Json& input) {
  static const Shape kShape = HostingListShape(false);
  if (auto error = Validate(kShape, input)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto filter, HostingFilter(listing.operation, call, input));
  HEADRACE_REPLY(auto rows, store::HostingResources(options.database, listing.kind).List(filter));
  Json reply{{listing.member, Json::array()}};
  CutPage(listing.operation, filter, rows, store::HostingResources::CursorOf, reply);
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
  HEADRACE_REPLY_PASS(const auto filter, HostingFilter("ListEndpoints", call, input));
  HEADRACE_REPLY(auto rows, store::Endpoints(options.database).List(filter));
  Json reply{{"Endpoints", Json::array()}};
  CutPage("ListEndpoints", filter, rows, store::Endpoints::CursorOf, reply);
  for (const auto& row : rows)
    reply["Endpoints"].push_back({{"EndpointName", row.name},
                                  {"EndpointArn", row.arn},
                                  {"CreationTime", Seconds(row.created)},
                                  {"LastModifiedTime", Seconds(row.modified)},
                                  {"EndpointStatus", row.status}});
  return reply;
}

}  // namespace headrace::api::sagemaker
