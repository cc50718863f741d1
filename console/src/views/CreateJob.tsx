// A new training job, or one like another.
import { useEffect, useState } from "preact/hooks";
import { createJob, describeJob } from "../data/jobs";
import { listBuckets } from "../data/storage";
import { useLoaded } from "../live";
import { Problem } from "../parts/pieces";
import { isIn, isPattern, isWithin, NAME, RequestForm, type Field } from "../parts/RequestForm";
import { address, go, query } from "../router";
import { ServiceError, type Json } from "../wire";

const BLANK: Json = {
  AlgorithmSpecification: { TrainingImage: "headrace", TrainingInputMode: "File" },
  RoleArn: "", InputDataConfig: [], OutputDataConfig: { S3OutputPath: "" },
  ResourceConfig: { InstanceType: "ml.c5.xlarge", InstanceCount: 1, VolumeSizeInGB: 10 },
  StoppingCondition: { MaxRuntimeInSeconds: 86400 }, HyperParameters: {},
};

export const INSTANCE_TYPES = ["ml.m5.large", "ml.m5.xlarge", "ml.m5.2xlarge", "ml.c5.large", "ml.c5.xlarge", "ml.c5.2xlarge", "ml.c5.4xlarge"];
export const isInstanceType = isPattern(/^ml\.[a-z0-9-]+\.[a-z0-9-]+$/, "a type such as ml.c5.xlarge");
const isRole = isPattern(/^arn:aws[a-z-]*:iam::\d{12}:role\/?[\w+=,.@/-]+$/, "arn:aws:iam::ACCOUNT:role/NAME");

// The next name of a series: NAME-2, NAME-3, …
export function nextName(name: string): string {
  const match = /^(.*)-(\d+)$/.exec(name);
  const next = match && match[2]!.length < 4 ? `${match[1]}-${Number(match[2]) + 1}` : `${name}-2`;
  return next.length <= 63 ? next : name.slice(0, 60).replace(/-+$/, "") + "-2";
}

interface Channel {
  ChannelName: string;
  DataSource: { S3DataSource?: { S3Uri: string; S3DataType?: string } };
}

function fieldsOf(document: Json, buckets: string[] | undefined): Field[] {
  const groups = Array.isArray((document.ResourceConfig as Json | undefined)?.InstanceGroups);
  return [
    { path: "AlgorithmSpecification.TrainingImage", label: "Image" },
    { path: "RoleArn", label: "Role", check: isRole },
    { path: "AlgorithmSpecification.TrainingInputMode", label: "Input mode", kind: "choice", choices: ["File", "Pipe", "FastFile"] },
    ...(groups ? [] : [
      { path: "ResourceConfig.InstanceType", label: "Instance type", choices: INSTANCE_TYPES, check: isInstanceType },
      { path: "ResourceConfig.InstanceCount", label: "Instances", kind: "number", check: isWithin(1, 1000) },
    ] satisfies Field[]),
    { path: "ResourceConfig.VolumeSizeInGB", label: "Volume, GB", kind: "number", check: isWithin(1, 16_384), optional: true },
    { path: "StoppingCondition.MaxRuntimeInSeconds", label: "Longest run, seconds", kind: "number", check: isWithin(1, 2_419_200), optional: true },
    { path: "OutputDataConfig.S3OutputPath", label: "Output", check: isIn(buckets) },
    ...((document.InputDataConfig as Channel[] | undefined) ?? []).flatMap((channel, i): Field[] => (channel.DataSource?.S3DataSource ? [
      { path: `InputDataConfig.${i}.ChannelName`, label: `Channel ${i + 1}`, check: isPattern(/^[A-Za-z0-9.\-_]{1,64}$/, "letters, digits, dots, hyphens, underscores") },
      { path: `InputDataConfig.${i}.DataSource.S3DataSource.S3Uri`, label: `Data of ${channel.ChannelName || "it"}`, check: isIn(buckets) },
    ] : [])),
  ];
}

// "There is none" is what a name should be told about.
export const isThere = (describe: (name: string) => Promise<unknown>) => async (name: string) => {
  try {
    await describe(name);
    return true;
  } catch (problem) {
    if (problem instanceof ServiceError && problem.status === 400) return false;
    throw problem;
  }
};

export function CreateJobPage() {
  const like = query.value.get("like");
  const [name, setName] = useState<string>();
  const [document, setDocument] = useState<Json>();
  const [failure, setFailure] = useState<Error>();
  const buckets = useLoaded(listBuckets, []);
  useEffect(() => {
    if (!like) { setDocument(BLANK); return; }
    describeJob(like).then((job) => setDocument(job.request), setFailure);
  }, [like]);
  const shown = name ?? (like ? nextName(like) : "");
  if (!document) return <><h1>A job like {like}</h1><Problem of={failure} /></>;
  const channels = (document.InputDataConfig as Channel[] | undefined) ?? [];
  const setChannels = (list: Channel[]) => setDocument({ ...document, InputDataConfig: list });
  const add = () => setChannels([...channels, { ChannelName: ["train", "validation", "eval"][channels.length] ?? "", DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: "" } } }]);
  const names = channels.map((channel) => channel.ChannelName);
  return (
    <>
      <h1>{like ? `A job like ${like}` : "Create a training job"}</h1>
      <RequestForm name={shown} setName={setName} exists={isThere(describeJob)} document={document} setDocument={setDocument}
        fields={fieldsOf(document, buckets.value?.map((bucket) => bucket.name))} tables={[{ path: "HyperParameters", label: "Hyperparameters" }, { path: "Environment", label: "Environment" }]}
        problems={new Set(names).size < names.length ? ["Channels: two have the same name."] : []}
        submit={async () => { if (NAME.test(shown)) { await createJob(shown, document); go(address("jobs", shown)); } }}>
        <p class="tools"><button type="button" class="quiet" onClick={add}>Add a channel</button>
          {channels.map((channel, i) => <button key={i} type="button" class="quiet" onClick={() => setChannels(channels.filter((_, other) => other !== i))}>Remove channel {channel.ChannelName || i + 1}</button>)}</p>
      </RequestForm>
    </>
  );
}
