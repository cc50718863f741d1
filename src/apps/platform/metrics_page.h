// What CloudWatch's console answers to a job's link, as this server does:
//   /cloudwatch/home?region=us-west-2#metricsV2:namespace=/aws/sagemaker/TrainingJobs;dimensions=TrainingJobName;search=JOB
// The browser keeps what stands behind '#' to itself, and a browser signs nothing: the page holds no metric, it names
// the commands that show the job's, signed with the keys of whoever runs them.
#pragma once

#include <string>

#include "http/message.h"

namespace headrace::apps {

inline constexpr std::string_view kMetricsPagePath = "/cloudwatch/home";

// `command`: what sets a shell up, as "headrace env".
http::Response MetricsPage(const http::Request& request, const std::string& command);

}  // namespace headrace::apps
