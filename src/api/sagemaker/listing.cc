#include "api/sagemaker/listing.h"

#include "api/input.h"

namespace headrace::api::sagemaker {
namespace {

constexpr int64_t kDefaultPage = 10;

}  // namespace

Reply<store::ResourceFilter> ListingFilter(const char* listing, const Call& call, const Json& input,
                                           const char* default_order) {
  store::ResourceFilter filter;
  filter.account_id = call.caller.account_id;
  filter.name_contains = TextOr(input, "NameContains");
  filter.created_after = TimeIn(input, "CreationTimeAfter");
  filter.created_before = TimeIn(input, "CreationTimeBefore");
  const std::string sort_by = TextOr(input, "SortBy");
  if (sort_by == "Name") filter.order = store::ResourceOrder::kName;
  if (sort_by == "Status") filter.order = store::ResourceOrder::kStatus;
  filter.descending = TextOr(input, "SortOrder", default_order) == "Descending";
  filter.limit = static_cast<size_t>(IntegerOr(input, "MaxResults", kDefaultPage)) + 1;  // one more: is there a page?
  if (const auto token = TextOr(input, "NextToken"); !token.empty()) {
    HEADRACE_REPLY_PASS(const auto position, aws::ReadPageToken(listing, token));
    const size_t blank = position.find(' ');  // "SEQUENCE KEY"
    if (blank == std::string::npos) return aws::Refuse("ValidationException", "NextToken is not one of ours");
    filter.after =
        store::ResourceCursor{position.substr(blank + 1), std::strtoll(position.substr(0, blank).c_str(), nullptr, 10)};
  }
  return filter;
}

void AddStatusFilters(const Json& input, store::ResourceFilter& filter) {
  if (const auto status = TextOr(input, "StatusEquals"); !status.empty()) filter.statuses = {status};
  filter.modified_after = TimeIn(input, "LastModifiedTimeAfter");
  filter.modified_before = TimeIn(input, "LastModifiedTimeBefore");
}

}  // namespace headrace::api::sagemaker
