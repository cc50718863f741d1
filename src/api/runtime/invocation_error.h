// What a caller of InvokeEndpoint sees when its model, or the way there, fails.
#pragma once

#include <string>

#include "aws/identity.h"
#include "http/message.h"

namespace headrace::api::runtime {

// {"Message": …} with x-amzn-ErrorType; `code` "": without, and clients take the status for the code.
http::Response InvocationError(int status, const std::string& code, const std::string& message);

struct ModelFailure {
  std::string endpoint, variant, instance;
  int status = 0;    // of the model's answer; 0: none
  std::string body;  // of the answer, or what happened instead
};
// ModelError 424: the one status that clients do not try again by themselves.
http::Response ModelError(const aws::Call& call, const ModelFailure& failure);

}  // namespace headrace::api::runtime
