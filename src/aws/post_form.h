// S3's uploads from a form: a POST of multipart/form-data whose fields come first and whose file comes last. The maker
// of the form has signed a policy, which is one of the fields, in place of the request.
//
//   auto reader = co_await PostFormReader::Open(request);   // the fields; at most kMaxFormFields bytes of them
//   auto access = CheckPostSignature((*reader)->form(), keys, now);
//   … (*reader)->Read(buffer) …                             // the file's bytes
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/error.h"
#include "aws/identity.h"
#include "base/clock.h"
#include "http/message.h"

namespace headrace::aws {

struct PostForm {
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case; those in front of the file
  std::string filename;                                     // of the file, without directories

  const std::string* Find(std::string_view name) const;
  std::string Get(std::string_view name) const;  // "" when absent
};

// Whether a request is such an upload: it says who sends it nowhere but in its form.
bool IsPostForm(const http::Request& request);

class PostFormReader : public http::BodyReader {
 public:
  // Reads the fields. MalformedPOSTRequest, MaxPostPreDataLengthExceeded, IncompleteBody. The request's body outlives
  // the reader.
  static http::Task<Reply<std::unique_ptr<PostFormReader>>> Open(const http::Request& request, http::BodyReader& body);

  const PostForm& form() const { return form_; }
  http::Task<Result<size_t>> Read(std::span<char> into) override;

 private:
  PostFormReader(http::BodyReader& body, std::string_view boundary);

  std::string_view unread() const { return std::string_view(buffer_).substr(start_, end_ - start_); }
  http::Task<Result<bool>> Fill();  // false at the body's end
  http::Task<Reply<std::string>> ReadUntil(std::string_view mark);
  http::Task<Reply<bool>> NextPart();  // false behind the last
  http::Task<Reply<void>> ReadFields();

  http::BodyReader& body_;
  const std::string delimiter_;  // CRLF and "--" in front of the boundary
  std::string buffer_;
  size_t start_ = 0, end_ = 0;
  size_t spent_ = 0;  // bytes in front of the file
  bool ended_ = false;
  PostForm form_;
};

// Who signed a form, and what.
struct PostAccess {
  SigningKey key;
  std::string region;  // "" with version 2
  std::string policy;  // the JSON text
};

// The signature of version 4 (x-amz-signature) or 2 (signature) over the field `policy`, in S3's words.
Reply<PostAccess> CheckPostSignature(const PostForm& form, const KeyLookup& keys, UnixMillis now);

// Puts the form's fields where a signed request has them: in the header, of which nothing else is left but Host.
void PreparePostRequest(http::Request& request, const PostForm& form);

}  // namespace headrace::aws
