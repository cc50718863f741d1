#include "http/certificates.h"

#include <memory>

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace headrace::http {
namespace {

template <auto free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using X509Pointer = std::unique_ptr<X509, Freer<X509_free>>;
using Bio = std::unique_ptr<BIO, Freer<BIO_free_all>>;

tl::unexpected<Error> FailOpenSsl(const char* what) {
  char reason[256] = "unknown reason";
  if (const unsigned long code = ::ERR_get_error(); code != 0) ::ERR_error_string_n(code, reason, sizeof reason);
  return Fail(ErrorCode::kInternal, "certificate: cannot {}: {}", what, reason);
}

std::string Contents(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return std::string(bytes, static_cast<size_t>(size));
}

// 16 random bytes whose first bit is clear: positive, and within the 20 bytes that are allowed.
bool SetSerial(X509* certificate) {
  unsigned char bytes[16];
  if (::RAND_bytes(bytes, sizeof bytes) != 1) return false;
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7f) | 0x40);
  BIGNUM* number = ::BN_bin2bn(bytes, sizeof bytes, nullptr);
  const bool done = number != nullptr && ::BN_to_ASN1_INTEGER(number, ::X509_get_serialNumber(certificate)) != nullptr;
  ::BN_free(number);
  return done;
}

bool SetName(X509* certificate, const std::string& name) {
  return ::X509_NAME_add_entry_by_txt(::X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(name.data()),
                                      static_cast<int>(name.size()), -1, 0) == 1;
}

bool AddExtension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  ::X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = ::X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  if (extension == nullptr) return false;
  const bool done = ::X509_add_ext(certificate, extension, -1) == 1;
  ::X509_EXTENSION_free(extension);
  return done;
}

// A certificate for `key` without name, extensions and signature.
X509Pointer Blank(EVP_PKEY* key, int days) {
  constexpr long kDay = 86400;
  X509Pointer certificate(::X509_new());
  if (certificate == nullptr || ::X509_set_version(certificate.get(), 2) != 1 || !SetSerial(certificate.get()))
    return nullptr;
  ::X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kDay);  // clocks differ
  ::X509_gmtime_adj(X509_getm_notAfter(certificate.get()), days * kDay);
  return ::X509_set_pubkey(certificate.get(), key) == 1 ? std::move(certificate) : nullptr;
}

Result<Certificate> ToPem(X509* certificate, EVP_PKEY* key) {
  const Bio first(::BIO_new(::BIO_s_mem())), second(::BIO_new(::BIO_s_mem()));
  if (::PEM_write_bio_X509(first.get(), certificate) != 1 ||
      ::PEM_write_bio_PrivateKey(second.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return FailOpenSsl("write PEM");
  return Certificate{Contents(first.get()), Contents(second.get())};
}

std::string AlternativeNames(const std::vector<std::string>& hosts) {
  std::string names;
  for (const std::string& host : hosts) {
    in6_addr address;
    const bool ip =
        ::inet_pton(AF_INET, host.c_str(), &address) == 1 || ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
    names += (names.empty() ? "" : ",") + std::string(ip ? "IP:" : "DNS:") + host;
  }
  return names;
}

}  // namespace

Result<Certificate> MakeAuthority(const std::string& name, int days) {
  const Key key(EVP_EC_gen("P-256"));
  if (key == nullptr) return FailOpenSsl("make a key");
  const X509Pointer certificate = Blank(key.get(), days);
  if (certificate == nullptr || !SetName(certificate.get(), name)) return FailOpenSsl("fill in an authority");
  X509* x509 = certificate.get();
  ::X509_set_issuer_name(x509, ::X509_get_subject_name(x509));
  if (!AddExtension(x509, x509, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !AddExtension(x509, x509, NID_key_usage, "critical,keyCertSign,cRLSign") ||
      !AddExtension(x509, x509, NID_subject_key_identifier, "hash") ||
      !AddExtension(x509, x509, NID_authority_key_identifier, "keyid:always"))
    return FailOpenSsl("extend an authority");
  if (::X509_sign(x509, key.get(), ::EVP_sha256()) == 0) return FailOpenSsl("sign an authority");
  return ToPem(x509, key.get());
}

Result<Certificate> MakeServerCertificate(const Certificate& authority, const std::vector<std::string>& hosts,
                                          int days) {
  const Bio issuer_bio(::BIO_new_mem_buf(authority.certificate.data(), static_cast<int>(authority.certificate.size())));
  const Bio key_bio(::BIO_new_mem_buf(authority.key.data(), static_cast<int>(authority.key.size())));
  const X509Pointer issuer(::PEM_read_bio_X509(issuer_bio.get(), nullptr, nullptr, nullptr));
  const Key issuer_key(::PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr));
  if (issuer == nullptr || issuer_key == nullptr) return FailOpenSsl("read the authority");
  const Key key(EVP_EC_gen("P-256"));
  if (key == nullptr) return FailOpenSsl("make a key");
  const X509Pointer certificate = Blank(key.get(), days);
  if (certificate == nullptr || !SetName(certificate.get(), hosts.front())) return FailOpenSsl("fill in a certificate");
  X509* x509 = certificate.get();
  ::X509_set_issuer_name(x509, ::X509_get_subject_name(issuer.get()));
  if (!AddExtension(x509, issuer.get(), NID_basic_constraints, "critical,CA:FALSE") ||
      !AddExtension(x509, issuer.get(), NID_key_usage, "critical,digitalSignature") ||
      !AddExtension(x509, issuer.get(), NID_ext_key_usage, "serverAuth") ||
      !AddExtension(x509, issuer.get(), NID_subject_key_identifier, "hash") ||
      !AddExtension(x509, issuer.get(), NID_authority_key_identifier, "keyid:always") ||
      !AddExtension(x509, issuer.get(), NID_subject_alt_name, AlternativeNames(hosts)))
    return FailOpenSsl("extend a certificate");
  if (::X509_sign(x509, issuer_key.get(), ::EVP_sha256()) == 0) return FailOpenSsl("sign a certificate");
  return ToPem(x509, key.get());
}

}  // namespace headrace::http
