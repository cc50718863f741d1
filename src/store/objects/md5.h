// MD5, the hash that ETags are made of.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace headrace::store {

class Md5 {
 public:
  Md5();
  Md5(Md5&&) noexcept;
  Md5& operator=(Md5&&) noexcept;
  ~Md5();
  void Update(std::string_view bytes);
  std::string Finish();  // 16 bytes; once

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string ToHex(std::string_view bytes);
// Bytes of lower or upper case hexadecimal text; "" when it is none.
std::string FromHex(std::string_view text);

}  // namespace headrace::store
