// A new job, or one like another: the request as a form that is checked while one types; the server has the last word.
import { useEffect, useState } from "preact/hooks";
import { createJob, describeJob, JOB_NAME } from "../data/jobs";
import { Problem } from "../parts/pieces";
import { address, go, query } from "../router";
import type { Json } from "../wire";

const BLANK: Json = {
  AlgorithmSpecification: { TrainingImage: "headrace", TrainingInputMode: "File" },
  RoleArn: "", InputDataConfig: [], OutputDataConfig: { S3OutputPath: "s3://BUCKET/output" },
  ResourceConfig: { InstanceType: "ml.c5.xlarge", InstanceCount: 1, VolumeSizeInGB: 10 },
  StoppingCondition: { MaxRuntimeInSeconds: 86400 }, HyperParameters: {},
};

// The next name of a series: NAME-2, NAME-3, …
function nextName(name: string): string {
  const match = /^(.*)-(\d+)$/.exec(name);
  const next = match && match[2]!.length < 4 ? `${match[1]}-${Number(match[2]) + 1}` : `${name}-2`;
  return next.length <= 63 ? next : name.slice(0, 60).replace(/-+$/, "") + "-2";
}

function problemsOf(name: string, text: string): string[] {
  const problems: string[] = [];
  if (!JOB_NAME.test(name)) problems.push("Name: letters, digits and single hyphens between them, at most 63.");
  try {
    const request = JSON.parse(text) as Json;
    for (const member of ["AlgorithmSpecification", "RoleArn", "OutputDataConfig", "ResourceConfig", "StoppingCondition"])
      if (!request[member]) problems.push(`${member}: wanted.`);
    const values = Object.entries((request.HyperParameters ?? {}) as Json);
    for (const [key, value] of values) if (typeof value !== "string") problems.push(`HyperParameters.${key}: wanted a text, "${String(value)}" in quotes.`);
  } catch (problem) {
    problems.push(`Request: ${(problem as Error).message}`);
  }
  return problems;
}

export function CreateJobPage() {
  const like = query.value.get("like");
  const [name, setName] = useState("");
  const [text, setText] = useState("");
  const [failure, setFailure] = useState<Error>();
  useEffect(() => {
    if (!like) { setText(JSON.stringify(BLANK, null, 2)); return; }
    describeJob(like).then((job) => { setName(nextName(like)); setText(JSON.stringify(job.request, null, 2)); }, setFailure);
  }, [like]);
  const problems = text ? problemsOf(name, text) : [];
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    try {
      await createJob(name, JSON.parse(text) as Json);
      go(address("jobs", name));
    } catch (refused) {
      setFailure(refused as Error);
    }
  };
  return (
    <>
      <h1>{like ? `A job like ${like}` : "Create a training job"}</h1>
      <form onSubmit={(event) => void submit(event)}>
        <label>Name <input value={name} required spellcheck={false} onInput={(event) => setName(event.currentTarget.value)} aria-describedby="problems" /></label>
        <label>Request (CreateTrainingJob) <textarea rows={28} spellcheck={false} value={text} onInput={(event) => setText(event.currentTarget.value)} aria-describedby="problems" /></label>
        <div id="problems" role="status"><ul>{name || !like ? problems.map((problem) => <li key={problem}>{problem}</li>) : null}</ul></div>
        <Problem of={failure} />
        <button disabled={problems.length > 0}>Create</button>
      </form>
    </>
  );
}
