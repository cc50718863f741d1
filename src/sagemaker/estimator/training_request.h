// The CreateTrainingJob that an estimator sends, as SDK v2 sends it.
#pragma once

#include <string>

#include "sagemaker/estimator/documents.h"

namespace headrace::sagemaker {

// With v1's names moved to v2's. kInvalidArgument for what is missing, contradicts itself or has no meaning here.
EstimatorOptions CheckedOptions(EstimatorOptions options);

// What a session adds to an estimator's options for one job.
struct JobPlace {
  std::string job_name, region, image_uri;
  std::string bucket;      // the default bucket, for what the options leave open
  std::string source_uri;  // of the packed source
};

std::string OutputPath(const EstimatorOptions& options, const std::string& bucket);
Json TrainingRequest(const EstimatorOptions& options, const Inputs& inputs, const JobPlace& place);

}  // namespace headrace::sagemaker
