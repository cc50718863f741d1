// Owners and ACLs in XML. An account's canonical id is its number.
#pragma once

#include <string>
#include <string_view>

#include "api/s3/errors.h"
#include "aws/xml.h"

namespace headrace::api::s3 {

void WriteOwner(aws::XmlWriter& xml, std::string_view element, const std::string& account);
// AccessControlPolicy of a canned ACL.
std::string AclDocument(const std::string& owner, const std::string& acl);
// The canned ACL that a document's grants amount to; NotImplemented for any other.
Reply<std::string> ReadAclDocument(std::string_view document, const std::string& owner);

}  // namespace headrace::api::s3
