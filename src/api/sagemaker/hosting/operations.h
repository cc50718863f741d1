// The operations of models, endpoint configurations and endpoints, and what they share.
#pragma once

#include <string>

#include "api/sagemaker/operations.h"
#include "jobs/hosting/deployment.h"
#include "store/meta/endpoints.h"
#include "store/meta/hosting_resources.h"

namespace headrace::api::sagemaker {

Reply<Json> CreateModel(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> DescribeModel(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> ListModels(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> DeleteModel(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> CreateEndpointConfig(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> DescribeEndpointConfig(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> ListEndpointConfigs(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> DeleteEndpointConfig(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> CreateEndpoint(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> DescribeEndpoint(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> ListEndpoints(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> UpdateEndpoint(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> UpdateEndpointWeightsAndCapacities(const SageMakerOptions& options, const Call& call, const Json& input);
Reply<Json> DeleteEndpoint(const SageMakerOptions& options, const Call& call, const Json& input);

// arn:aws:sagemaker:REGION:ACCOUNT:KIND/name, the name in lower case as the service writes it. Kinds: "model",
// "endpoint-config", "endpoint".
std::string HostingArn(const Call& call, const std::string& kind, const std::string& name);
// "Could not find model "ARN"." and "Cannot create already existing model "ARN"."; what: "model", "endpoint
// configuration", "endpoint".
tl::unexpected<aws::ServiceError> CouldNotFind(const std::string& what, const std::string& arn);
tl::unexpected<aws::ServiceError> AlreadyExisting(const std::string& what, const std::string& arn);

// The caller's, or CouldNotFind.
Reply<store::HostingResource> FindModel(const SageMakerOptions& options, const Call& call, const std::string& name);
Reply<store::HostingResource> FindEndpointConfig(const SageMakerOptions& options, const Call& call,
                                                 const std::string& name);
Reply<store::Endpoint> FindEndpoint(const SageMakerOptions& options, const Call& call, const std::string& name);

// What a model's request asks to serve. The request has been checked.
jobs::HostedModel ModelOf(const store::HostingResource& model);
// An endpoint configuration with its models.
Reply<jobs::Deployment> DeploymentOf(const SageMakerOptions& options, const Call& call,
                                     const store::HostingResource& config);
// ResourceLimitExceeded when the endpoints of the account would have too many instances; `replaced`: one that is
// updated and does not count.
Reply<void> CheckInstanceLimit(const SageMakerOptions& options, const Call& call, const jobs::Deployment& deployment,
                               const std::string& replaced);

}  // namespace headrace::api::sagemaker
