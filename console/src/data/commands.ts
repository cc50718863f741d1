// A request to an endpoint, as commands and programs that send the same bytes: whoever copies one need change nothing.
export interface SameRequest {
  endpoint: string;
  variant: string; // "": whichever the weights choose
  contentType: string;
  text?: string; // short enough to stand in the command
  file: string; // otherwise its name
}

const shell = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
// A literal of JSON is one of Python and of C++, too, as far as endpoints' names and bodies go.
const literal = (text: string) => JSON.stringify(text);

function curl({ endpoint, variant, contentType, text, file }: SameRequest): string {
  const target = variant ? `  -H ${shell(`X-Amzn-SageMaker-Target-Variant: ${variant}`)} \\\n` : "";
  return 'curl --aws-sigv4 "aws:amz:$AWS_DEFAULT_REGION:sagemaker" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\\n' +
    `  -H ${shell(`Content-Type: ${contentType}`)} \\\n${target}  ${text === undefined ? `--data-binary ${shell(`@${file}`)}` : `--data-raw ${shell(text)}`} \\\n  "$AWS_ENDPOINT_URL/endpoints/${endpoint}/invocations"`;
}

function boto3({ endpoint, variant, contentType, text, file }: SameRequest): string {
  const body = text === undefined ? `open(${literal(file)}, "rb").read()` : `${literal(text)}.encode()`;
  return `import boto3\n\nanswer = boto3.client("sagemaker-runtime").invoke_endpoint(\n    EndpointName=${literal(endpoint)}, ContentType=${literal(contentType)},` +
    `${variant ? ` TargetVariant=${literal(variant)},` : ""}\n    Body=${body})\nprint(answer["Body"].read().decode())`;
}

function cpp({ endpoint, variant, contentType, text, file }: SameRequest): string {
  const read = text === undefined
    ? `  std::ifstream file(${literal(file)}, std::ios::binary);\n  const std::string body((std::istreambuf_iterator<char>(file)), {});\n`
    : `  const std::string body = ${literal(text)};\n`;
  return `#include <fstream>\n#include <iostream>\n#include <iterator>\n#include <string>\n\n#include "headrace/aws_clients.h"\n\nint main() {\n${read}` +
    "  const headrace::sagemaker::RuntimeClient runtime;\n  const auto answer = runtime.InvokeEndpoint({\n" +
    `      .endpoint_name = ${literal(endpoint)}, .body = body, .content_type = ${literal(contentType)}${variant ? `, .target_variant = ${literal(variant)}` : ""}});\n` +
    '  std::cout << answer.value().body << "\\n";\n}';
}

// headrace has no choice of the variant.
const headrace = ({ endpoint, contentType, text, file }: SameRequest) =>
  text === undefined ? `headrace invoke ${endpoint} ${shell(file)}` : `printf %s ${shell(text)} | headrace invoke ${endpoint} - --content-type ${contentType}`;

export const commandsFor = (request: SameRequest): [title: string, text: string][] => [
  ...(request.variant ? [] : [["Shell", headrace(request)] as [string, string]]), ["curl", curl(request)], ["boto3", boto3(request)], ["C++", cpp(request)],
];
