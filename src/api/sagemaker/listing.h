// What the List operations share: the filter in a request, and pages.
#pragma once

#include <string>

#include "api/sagemaker/operations.h"
#include "aws/page_token.h"
#include "store/meta/resource_listing.h"

namespace headrace::api::sagemaker {

// Of the caller's resources; `limit` is one above the page. `listing` names the operation, so that another's NextToken
// is refused. The request has the shape of a listing.
Reply<store::ResourceFilter> ListingFilter(const char* listing, const Call& call, const Json& input,
                                           const char* default_order);
// StatusEquals, LastModifiedTimeAfter and -Before: of resources that have a status. Elsewhere they are no members.
void AddStatusFilters(const Json& input, store::ResourceFilter& filter);

// Cuts the one row too many off and says where it would have gone on.
template <typename Rows>
void CutPage(const char* listing, const store::ResourceFilter& filter, Rows& rows, Json& reply) {
  if (rows.size() < filter.limit) return;
  rows.pop_back();
  const auto cursor = store::CursorOf(rows.back(), filter.order);
  reply["NextToken"] = aws::MakePageToken(listing, std::to_string(cursor.sequence) + " " + cursor.key);
}

}  // namespace headrace::api::sagemaker
