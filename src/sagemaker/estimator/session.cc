#include <mutex>

#include "sagemaker/clients/configuration.h"
#include "sagemaker/estimator/documents.h"

namespace headrace::sagemaker {

struct Session::Impl {
  explicit Impl(SessionOptions given)
      : options(std::move(given)),
        configuration(Configuration::Make(options.client)),
        sagemaker("sagemaker", configuration),
        logs("logs", configuration),
        cloudwatch("cloudwatch", configuration),
        sts("sts", configuration),
        iam("iam", configuration),
        console("headrace", configuration),
        s3(configuration),
        runtime(configuration) {}

  const SessionOptions options;
  const std::shared_ptr<Configuration> configuration;
  const Client sagemaker, logs, cloudwatch, sts, iam, console;
  const S3Client s3;
  const RuntimeClient runtime;

  std::mutex mutex;  // of what follows
  std::string account, bucket;
};

Session::Session(SessionOptions options) : impl_(std::make_shared<Impl>(std::move(options))) {}

const Client& Session::sagemaker() const { return impl_->sagemaker; }
const Client& Session::logs() const { return impl_->logs; }
const Client& Session::cloudwatch() const { return impl_->cloudwatch; }
const Client& Session::sts() const { return impl_->sts; }
const Client& Session::iam() const { return impl_->iam; }
const Client& Session::console() const { return impl_->console; }
const S3Client& Session::s3() const { return impl_->s3; }
const RuntimeClient& Session::runtime() const { return impl_->runtime; }

std::string Session::region() const { return impl_->configuration->region().value(); }

std::string Session::account() const {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->account.empty())
    impl_->account = TextMember(CallWith(sts(), "GetCallerIdentity", Json::object()), "Account");
  return impl_->account;
}

std::string Session::default_bucket() const {
  const std::string owner = account();
  const std::string wanted =
      impl_->options.default_bucket.empty() ? "sagemaker-" + region() + "-" + owner : impl_->options.default_bucket;
  const std::lock_guard lock(impl_->mutex);
  if (impl_->bucket.empty()) {
    // The name can be guessed: a bucket of somebody else's must not get the data.
    const auto there = s3().HeadBucket(wanted, owner);
    if (!there.ok() && there.error().status != 404) throw there.error();
    if (!there.ok()) {
      const auto made = s3().CreateBucket(wanted);
      if (!made.ok() && made.error().service_code != "BucketAlreadyOwnedByYou") throw made.error();
    }
    impl_->bucket = wanted;
  }
  return impl_->bucket;
}

}  // namespace headrace::sagemaker
