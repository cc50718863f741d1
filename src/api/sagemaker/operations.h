// The operations, one file each; SageMakerService puts them into its table.
#pragma once

#include <string>

#include "api/sagemaker/sagemaker_service.h"
#include "store/meta/training_job.h"

namespace headrace::api::sagemaker {

using aws::Call;
using aws::Json;
using aws::Reply;

Reply<Json> CreateTrainingJob(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> DescribeTrainingJob(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> ListTrainingJobs(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> StopTrainingJob(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> UpdateTrainingJob(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> DeleteTrainingJob(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> AddTags(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> ListTags(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> DeleteTags(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> DescribeNotebookInstance(const SageMakerOptions& options, const Call& call, const Json& input);

// The caller's job, or the refusal that SageMaker gives when there is none of that name.
Reply<store::TrainingJob> FindTrainingJob(const SageMakerOptions& options, const Call& call, const std::string& name);

// s3://…/JOB/output/model.tar.gz (or …/model/ when the job asked for no compression), from a job's request.
std::string ModelArtifactsUri(const Json& request);

}  // namespace headrace::api::sagemaker
