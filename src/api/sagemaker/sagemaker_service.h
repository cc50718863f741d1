// SageMaker's control plane: training jobs, models, endpoints, transform jobs and tags.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "aws/service.h"
#include "base/descriptor.h"
#include "base/result.h"
#include "jobs/request/instance_types.h"
#include "jobs/request/training_request.h"
#include "store/access/account_objects.h"
#include "store/meta/database.h"

namespace headrace::api {

struct SageMakerOptions {
  store::Database& database;  // outlives the service
  // Called when the job's row is on disk; wakes the scheduler.
  std::function<void(const std::string& account, const std::string& job)> submit;
  // As jobs::TrainingService::RequestStop.
  std::function<Status(const std::string& account, const std::string& job)> request_stop;
  // Where inputs are looked up before a job is taken. Without it they are not.
  store::ObjectAccess objects = {};
  // Called when an endpoint's row has been written; as jobs::HostingService::Wake.
  std::function<void(const std::string& account, const std::string& endpoint)> wake_endpoint = {};
  // Called when a transform job's row has been written; as jobs::TransformService::Wake.
  std::function<void(const std::string& account, const std::string& job)> wake_transform = {};
  // Whether jobs and model servers of this account may run here; the error says why not and what helps. Empty: all may.
  std::function<Status(const std::string& account)> may_run = {};
  // Whether training jobs of such instances can ever run here; as jobs::Executor::Fits. Empty: all can.
  std::function<Status(const std::vector<jobs::InstanceSize>& hosts)> fits = {};
  // Whether a training job's program, whose source is this archive, can run here at all; as jobs::CheckProgram.
  std::function<Status(const jobs::TrainingRequest& request, Descriptor source)> check_program = {};
};

aws::Service SageMakerService(SageMakerOptions options);

}  // namespace headrace::api
