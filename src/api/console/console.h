// The console: pages for a browser, and the one way from a browser's session to the services. What a page asks is
// signed here with the session's temporary credentials and goes through the same door as every client's request: it may
// what its caller may.
//
//   GET  /, /console/…, /cloudwatch/home        the page; its script reads the address
//   GET  /console/assets/…                      its script and style
//   POST, GET, DELETE /console/session          sign in (keys, or the ticket of a sign-in link), who is it, sign out
//   POST /console/api/SERVICE/OPERATION         an operation of a JSON service: "sagemaker", "logs", "monitoring",
//   "headrace" any  /console/objects/BUCKET/KEY?…          S3 POST /console/endpoints/NAME/invocations
//   sagemaker-runtime
#pragma once

#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "api/console/sessions.h"
#include "aws/service.h"
#include "base/clock.h"
#include "base/thread_pool.h"
#include "http/message.h"
#include "store/meta/database.h"
#include "store/meta/principals.h"

namespace headrace::api {

struct ConsoleOptions {
  const aws::KeyLookup& keys;  // all of it outlives the console
  store::Principals& principals;
  store::Database& database;
  ThreadPool& pool;
  const Clock& clock;
  const Clock& steady;
  http::Handler services;  // signed requests go here
  std::string region;
  // What `headrace jobs compare` says of a training job, read in the caller's name.
  std::function<aws::Reply<nlohmann::json>(const aws::Call& call, const std::string& job)> compare_job = {};
  // What an account is told of this machine: what is used of it, and by which of the account's processes.
  std::function<nlohmann::json(const std::string& account)> describe_machine = {};
  // What `headrace doctor` says, examined again or as it was; the error says why this account is not told.
  std::function<Result<nlohmann::json>(const std::string& account, bool again)> examine_machine = {};
};

class Console {
 public:
  explicit Console(ConsoleOptions options);

  // An unsigned request for a page, or below /console/.
  static bool Wants(const http::Request& request);
  http::Task<http::Response> Handle(http::Request& request);

  // What only the console needs, for signed callers like every other service: CreateSignInLink, GetMetricCurves,
  // CompareTrainingJob, DescribeMachine, ExamineMachine.
  aws::Service Service();

 private:
  http::Task<http::Response> Session(http::Request& request);
  http::Task<http::Response> SignIn(http::Request& request);
  Result<console::SignedIn> Exchange(const nlohmann::json& credentials);
  http::Task<http::Response> Forward(http::Request& request);
  http::Task<http::Response> CallService(http::Request& request, const console::SignedIn& who, std::string_view rest);
  http::Task<http::Response> CallRest(http::Request& request, const console::SignedIn& who, const std::string& path,
                                      const std::string& service);

  const ConsoleOptions options_;
  console::Sessions sessions_;
};

}  // namespace headrace::api
