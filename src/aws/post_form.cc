#include "aws/post_form.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "aws/auth.h"
#include "aws/canonical.h"
#include "aws/digest.h"
#include "aws/limits.h"

namespace headrace::aws {
namespace {

using http::Task;

constexpr size_t kMaxBoundary = 200;
constexpr size_t kFormBuffer = size_t{64} << 10;

std::string InLowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

std::string_view WithoutBlanks(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

// The parameter `name` of a field such as `form-data; name="key"; filename="a.txt"`; quotes are taken off.
std::optional<std::string> ParameterOf(std::string_view field, std::string_view name) {
  size_t at = field.find(';');
  while (at < field.size()) {
    std::string_view rest = field.substr(at + 1);
    const size_t equals = rest.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const bool wanted = InLowerCase(WithoutBlanks(rest.substr(0, equals))) == name;
    size_t end = equals + 1;
    std::string value;
    if (end < rest.size() && rest[end] == '"') {
      for (++end; end < rest.size() && rest[end] != '"'; ++end) {
        if (rest[end] == '\\' && end + 1 < rest.size() && (rest[end + 1] == '"' || rest[end + 1] == '\\')) ++end;
        value += rest[end];
      }
      end = std::min(rest.find(';', std::min(end, rest.size())), rest.size());
    } else {
      end = std::min(rest.find(';', end), rest.size());
      value = WithoutBlanks(rest.substr(equals + 1, end - equals - 1));
    }
    if (wanted) return value;
    at += 1 + end;
  }
  return std::nullopt;
}

// What stands behind `name:` in the head of a part.
std::string FieldOf(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    const size_t end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    const size_t colon = std::min(line.find(':'), line.size());
    if (InLowerCase(WithoutBlanks(line.substr(0, colon))) == name)
      return std::string(WithoutBlanks(line.substr(std::min(colon + 1, line.size()))));
  }
  return {};
}

tl::unexpected<ServiceError> Malformed() {
  return Refuse("MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.");
}

tl::unexpected<ServiceError> MissingField(std::string_view name) {
  ServiceError error{"InvalidArgument",
                     fmt::format("Bucket POST must contain a field named '{}'.  If it is specified, please check the "
                                 "order of the fields.",
                                 name),
                     400,
                     {{"ArgumentName", std::string(name)}, {"ArgumentValue", ""}},
                     {}};
  return tl::unexpected(std::move(error));
}

struct PostClaim {
  std::string access_key_id, signature, day, region;
  bool version_4 = false;
};

Reply<PostClaim> ReadPostClaim(const PostForm& form) {
  PostClaim claim;
  claim.version_4 = form.Find("x-amz-signature") != nullptr || form.Find("x-amz-algorithm") != nullptr;
  if (!claim.version_4) {
    claim.access_key_id = form.Get("awsaccesskeyid");
    claim.signature = form.Get("signature");
    if (claim.access_key_id.empty() && claim.signature.empty())
      return Refuse("AccessDenied",
                    "Access Denied: this server takes no anonymous uploads; the form holds no signature", 403);
    if (claim.access_key_id.empty()) return MissingField("AWSAccessKeyId");
    if (claim.signature.empty()) return MissingField("signature");
    return claim;
  }
  for (const char* name : {"x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"})
    if (form.Get(name).empty()) return MissingField(name);
  if (form.Get("x-amz-algorithm") != "AWS4-HMAC-SHA256")
    return Refuse("InvalidArgument", "x-amz-algorithm: only AWS4-HMAC-SHA256 is supported.");
  const std::string credential = form.Get("x-amz-credential"), date = form.Get("x-amz-date");
  std::vector<std::string> parts(1);
  for (const char c : credential.substr(0, 512)) {
    if (c == '/') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  if (parts.size() != 5 || parts[3] != "s3" || parts[4] != "aws4_request" || date.substr(0, 8) != parts[1])
    return Refuse("InvalidArgument",
                  "x-amz-credential: wanted ACCESS-KEY/YYYYMMDD/REGION/s3/aws4_request, with the day of x-amz-date.");
  claim.access_key_id = parts[0];
  claim.day = parts[1];
  claim.region = parts[2];
  claim.signature = form.Get("x-amz-signature");
  return claim;
}

bool SignatureMatches(const PostClaim& claim, const std::string& secret, const std::string& policy) {
  if (!claim.version_4) return SameSecret(Base64(HmacSha1(secret, policy)), claim.signature);
  const std::string key = DeriveSigningKey(secret, claim.day, claim.region, "s3");
  return SameSecret(Hex(HmacSha256(key, policy)), claim.signature);
}

// Fields that belong to the signature or would say something of a body that is not this one's.
bool StaysInForm(std::string_view name) {
  for (const std::string_view mine :
       {"x-amz-signature", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token",
        "x-amz-content-sha256", "x-amz-trailer", "x-amz-decoded-content-length", "x-amz-sdk-checksum-algorithm",
        "x-amz-tagging", "x-amz-expected-bucket-owner"})
    if (name == mine) return true;
  return name.starts_with("x-amz-copy-source");
}

}  // namespace

const std::string* PostForm::Find(std::string_view name) const {
  for (const auto& [field, value] : fields)
    if (field == name) return &value;
  return nullptr;
}

std::string PostForm::Get(std::string_view name) const {
  const std::string* value = Find(name);
  return value != nullptr ? *value : std::string();
}

bool IsPostForm(const http::Request& request) {
  if (request.method != "POST" || request.headers.Has("authorization")) return false;
  if (http::MediaType(request.headers.Get("content-type")) != "multipart/form-data") return false;
  for (const auto& [name, value] : http::QueryParameters(request.query.substr(0, kMaxQueryBytes)))
    if (name == "X-Amz-Signature" || name == "X-Amz-Algorithm" || name == "AWSAccessKeyId") return false;
  return true;
}

PostFormReader::PostFormReader(http::BodyReader& body, std::string_view boundary)
    : body_(body), delimiter_("\r\n--" + std::string(boundary)), buffer_(kFormBuffer, '\0') {
  // The first delimiter stands at the very beginning, without a line end in front of it.
  std::memcpy(buffer_.data(), "\r\n", 2);
  end_ = 2;
}

Task<Reply<std::unique_ptr<PostFormReader>>> PostFormReader::Open(const http::Request& request,
                                                                  http::BodyReader& body) {
  const auto boundary = ParameterOf(request.headers.Get("content-type"), "boundary");
  if (!boundary || boundary->empty() || boundary->size() > kMaxBoundary) co_return Malformed();
  std::unique_ptr<PostFormReader> reader(new PostFormReader(body, *boundary));
  auto read = co_await reader->ReadFields();
  if (!read) co_return tl::unexpected(std::move(read.error()));
  co_return reader;
}

Task<Result<bool>> PostFormReader::Fill() {
  if (start_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + start_, end_ - start_);
    end_ -= start_;
    start_ = 0;
  }
  auto size = co_await body_.Read({buffer_.data() + end_, buffer_.size() - end_});
  if (!size) co_return tl::unexpected<Error>(std::move(size.error()));
  end_ += *size;
  co_return *size > 0;
}

// What stands in front of `mark`, which is taken as well. Only in front of the file.
Task<Reply<std::string>> PostFormReader::ReadUntil(std::string_view mark) {
  while (true) {
    const size_t at = unread().find(mark);
    // Without the mark in sight, its beginning may be the end of what is here.
    const size_t held = std::min(at, unread().size() - std::min(unread().size(), mark.size() - 1));
    if (spent_ + held > kMaxFormFields)
      co_return Refuse("MaxPostPreDataLengthExceeded",
                       "Your POST request fields preceding the upload file were too large.");
    if (at != std::string_view::npos) {
      std::string text(unread().substr(0, at));
      start_ += at + mark.size();
      spent_ += at + mark.size();
      co_return text;
    }
    auto more = co_await Fill();
    if (!more) co_return Refuse("IncompleteBody", "The request body ended early: " + more.error().message());
    if (!*more) co_return Malformed();
  }
}

// Behind a delimiter: a line's end, or "--" where the form is over.
Task<Reply<bool>> PostFormReader::NextPart() {
  auto line = co_await ReadUntil("\r\n");
  if (!line) co_return tl::unexpected(std::move(line.error()));
  if (line->starts_with("--")) co_return false;
  if (!WithoutBlanks(*line).empty()) co_return Malformed();
  co_return true;
}

Task<Reply<void>> PostFormReader::ReadFields() {
  auto preamble = co_await ReadUntil(delimiter_);
  if (!preamble) co_return tl::unexpected(std::move(preamble.error()));
  while (true) {
    auto more = co_await NextPart();
    if (!more) co_return tl::unexpected(std::move(more.error()));
    if (!*more) break;
    auto head = co_await ReadUntil("\r\n\r\n");
    if (!head) co_return tl::unexpected(std::move(head.error()));
    const std::string disposition = FieldOf(*head, "content-disposition");
    const auto name = ParameterOf(disposition, "name");
    if (!name || !InLowerCase(disposition).starts_with("form-data")) co_return Malformed();
    const std::string lower = InLowerCase(*name);
    if (lower == "file") {
      form_.filename = ParameterOf(disposition, "filename").value_or("");
      const size_t slash = form_.filename.find_last_of("/\\");
      if (slash != std::string::npos) form_.filename.erase(0, slash + 1);
      co_return Reply<void>();
    }
    auto value = co_await ReadUntil(delimiter_);
    if (!value) co_return tl::unexpected(std::move(value.error()));
    form_.fields.emplace_back(lower, std::move(*value));
  }
  ServiceError error{"InvalidArgument",
                     "POST requires exactly one file upload per request.",
                     400,
                     {{"ArgumentName", "file"}, {"ArgumentValue", "0"}},
                     {}};
  co_return tl::unexpected(std::move(error));
}

Task<Result<size_t>> PostFormReader::Read(std::span<char> into) {
  while (!ended_) {
    const size_t at = unread().find(delimiter_);
    // Without the delimiter in sight, its beginning may be the end of what is here.
    const size_t kept = std::min(delimiter_.size() - 1, unread().size());
    const size_t count = std::min(at != std::string_view::npos ? at : unread().size() - kept, into.size());
    if (count > 0) {
      std::memcpy(into.data(), buffer_.data() + start_, count);
      start_ += count;
      co_return count;
    }
    if (at == 0) {
      ended_ = true;
      break;
    }
    auto more = co_await Fill();
    if (!more) co_return tl::unexpected<Error>(std::move(more.error()));
    if (!*more) co_return Fail(ErrorCode::kDataLoss, "form: ends within the file");
  }
  co_return size_t{0};
}

Reply<PostAccess> CheckPostSignature(const PostForm& form, const KeyLookup& keys, UnixMillis now) {
  const auto claim = ReadPostClaim(form);
  if (!claim) return tl::unexpected(claim.error());
  const std::string policy = form.Get("policy");
  if (policy.empty()) return MissingField("policy");
  const auto failed = [](AuthProblem problem, std::string message,
                         std::vector<std::pair<std::string, std::string>> details = {}) {
    return tl::unexpected(S3AuthError(AuthFailure{problem, std::move(message), std::move(details)}));
  };
  auto key = keys.Find(claim->access_key_id);
  if (!key)
    return failed(AuthProblem::kUnknownKey, "The security token included in the request is invalid.",
                  {{"AWSAccessKeyId", claim->access_key_id.substr(0, 128)}});
  if (!SameSecret(key->session_token, form.Get("x-amz-security-token")))
    return failed(AuthProblem::kBadToken, "The security token included in the request is invalid.");
  if (key->expires != 0 && now >= key->expires)
    return failed(AuthProblem::kExpiredToken, "The security token included in the request is expired");
  if (!SignatureMatches(*claim, key->secret_access_key, policy))
    return failed(AuthProblem::kMismatch,
                  "The request signature we calculated does not match the signature you provided. Check your key and "
                  "signing method.",
                  {{"AWSAccessKeyId", claim->access_key_id}});
  std::string one_line = policy;  // forms are written by hand, with line ends where they fit
  std::erase_if(one_line, [](char c) { return c == '\r' || c == '\n' || c == ' '; });
  auto text = DecodeBase64(one_line);
  if (!text) return Refuse("InvalidPolicyDocument", "Invalid Policy: it is not base64.");
  return PostAccess{std::move(*key), claim->region, std::move(*text)};
}

void PreparePostRequest(http::Request& request, const PostForm& form) {
  http::Headers headers;
  headers.Set("Host", request.headers.Get("host"));
  for (const auto& [name, value] : form.fields) {
    if (name == "acl") headers.Set("x-amz-acl", value);
    for (const char* plain : {"content-type", "cache-control", "content-disposition", "content-encoding",
                              "content-language", "expires", "content-md5"})
      if (name == plain) headers.Set(name, value);
    if (name.starts_with("x-amz-") && !StaysInForm(name)) headers.Add(name, value);
  }
  request.headers = std::move(headers);
  request.content_length.reset();
}

}  // namespace headrace::aws
