#include "api/s3/owner.h"

#include <set>

#include <pugixml.hpp>

#include "api/s3/exchange.h"

namespace headrace::api::s3 {
namespace {

constexpr std::string_view kAllUsers = "http://acs.amazonaws.com/groups/global/AllUsers";
constexpr std::string_view kAuthenticatedUsers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";

void WriteGrant(aws::XmlWriter& xml, std::string_view group, const std::string& account, std::string_view permission) {
  xml.Open("Grant");
  xml.OpenWith("Grantee", {{"xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"},
                           {"xsi:type", group.empty() ? "CanonicalUser" : "Group"}});
  if (group.empty()) {
    xml.Element("ID", account).Element("DisplayName", account);
  } else {
    xml.Element("URI", group);
  }
  xml.Close().Element("Permission", permission).Close();
}

}  // namespace

void WriteOwner(aws::XmlWriter& xml, std::string_view element, const std::string& account) {
  xml.Open(element).Element("ID", account).Element("DisplayName", account).Close();
}

std::string AclDocument(const std::string& owner, const std::string& acl) {
  aws::XmlWriter xml;
  xml.Open("AccessControlPolicy", kXmlns);
  WriteOwner(xml, "Owner", owner);
  xml.Open("AccessControlList");
  WriteGrant(xml, "", owner, "FULL_CONTROL");
  if (acl == "public-read" || acl == "public-read-write") WriteGrant(xml, kAllUsers, "", "READ");
  if (acl == "public-read-write") WriteGrant(xml, kAllUsers, "", "WRITE");
  if (acl == "authenticated-read") WriteGrant(xml, kAuthenticatedUsers, "", "READ");
  return xml.Finish();
}

Reply<std::string> ReadAclDocument(std::string_view text, const std::string& owner) {
  S3_ASSIGN(const auto document, aws::ParseXml(text));
  const pugi::xml_node list = document->child("AccessControlPolicy").child("AccessControlList");
  if (!list) return MalformedXml();
  std::set<std::string> grants;
  for (const pugi::xml_node grant : list.children("Grant")) {
    const pugi::xml_node grantee = grant.child("Grantee");
    const std::string permission = grant.child_value("Permission");
    const std::string_view uri = grantee.child_value("URI");
    if (uri == kAllUsers) {
      grants.insert("all " + permission);
    } else if (uri == kAuthenticatedUsers) {
      grants.insert("authenticated " + permission);
    } else if (grantee.child_value("ID") != owner || permission != "FULL_CONTROL") {
      return NotImplemented("Grants to single accounts");
    }
  }
  if (grants.empty()) return std::string("private");
  if (grants == std::set<std::string>{"all READ"}) return std::string("public-read");
  if (grants == std::set<std::string>{"all READ", "all WRITE"}) return std::string("public-read-write");
  if (grants == std::set<std::string>{"authenticated READ"}) return std::string("authenticated-read");
  return NotImplemented("Grants that are no canned ACL");
}

}  // namespace headrace::api::s3
