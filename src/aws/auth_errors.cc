// The same refusal in the words of each kind of service.
#include "aws/auth.h"

namespace headrace::aws {
namespace {

ServiceError Make(std::string code, std::string message, int status) {
  return {std::move(code), std::move(message), status, {}, {}};
}

ServiceError S3Words(const AuthFailure& failure) {
  switch (failure.problem) {
    case AuthProblem::kMissing:
      return Make("AccessDenied", "Access Denied", 403);
    case AuthProblem::kMalformed:
      return Make("AuthorizationHeaderMalformed", failure.message, 400);
    case AuthProblem::kUnsupported:
      return Make("InvalidRequest", failure.message, 400);
    case AuthProblem::kUnknownKey:
      return Make("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403);
    case AuthProblem::kBadToken:
      return Make("InvalidToken", "The provided token is malformed or otherwise invalid.", 400);
    case AuthProblem::kExpiredToken:
      return Make("ExpiredToken", "The provided token has expired.", 400);
    case AuthProblem::kSkewed:
      return Make("RequestTimeTooSkewed", "The difference between the request time and the current time is too large.",
                  403);
    case AuthProblem::kExpired:
    case AuthProblem::kHeaderNotSigned:
      return Make("AccessDenied", failure.message, 403);
    case AuthProblem::kWrongService:
      return Make("AuthorizationHeaderMalformed", failure.message, 400);
    case AuthProblem::kMismatch:
      return Make("SignatureDoesNotMatch", failure.message, 403);
  }
  return Make("AccessDenied", "Access Denied", 403);
}

}  // namespace

ServiceError S3AuthError(const AuthFailure& failure) {
  ServiceError error = S3Words(failure);
  error.details = failure.details;
  return error;
}

ServiceError QueryAuthError(const AuthFailure& failure) {
  switch (failure.problem) {
    case AuthProblem::kMissing:
      return Make("MissingAuthenticationToken", "Request is missing Authentication Token", 403);
    case AuthProblem::kMalformed:
    case AuthProblem::kUnsupported:
      return Make("IncompleteSignature", failure.message, 400);
    case AuthProblem::kUnknownKey:
    case AuthProblem::kBadToken:
      return Make("InvalidClientTokenId", failure.message, 403);
    case AuthProblem::kExpiredToken:
      return Make("ExpiredToken", failure.message, 403);
    case AuthProblem::kSkewed:
    case AuthProblem::kExpired:
    case AuthProblem::kHeaderNotSigned:
    case AuthProblem::kWrongService:
    case AuthProblem::kMismatch:
      break;
  }
  return Make("SignatureDoesNotMatch", failure.message, 403);
}

ServiceError JsonAuthError(const AuthFailure& failure) {
  switch (failure.problem) {
    case AuthProblem::kMissing:
      return Make("MissingAuthenticationToken", "Missing Authentication Token", 403);
    case AuthProblem::kMalformed:
    case AuthProblem::kUnsupported:
      return Make("IncompleteSignatureException", failure.message, 403);
    case AuthProblem::kUnknownKey:
    case AuthProblem::kBadToken:
      return Make("UnrecognizedClientException", failure.message, 403);
    case AuthProblem::kExpiredToken:
      return Make("ExpiredTokenException", failure.message, 403);
    case AuthProblem::kSkewed:
    case AuthProblem::kExpired:
    case AuthProblem::kHeaderNotSigned:
    case AuthProblem::kWrongService:
    case AuthProblem::kMismatch:
      break;
  }
  return Make("InvalidSignatureException", failure.message, 403);
}

}  // namespace headrace::aws
