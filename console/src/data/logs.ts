// Log streams, read from the first event and followed.
import { call } from "../wire";

export interface LogLine {
  time: number; // milliseconds
  text: string;
}

export const JOBS_GROUP = "/aws/sagemaker/TrainingJobs";
export const endpointGroup = (endpoint: string) => `/aws/sagemaker/Endpoints/${endpoint}`;

export async function streams(group: string, prefix: string): Promise<string[]> {
  const reply = await call<{ logStreams: { logStreamName: string }[] }>("logs", "DescribeLogStreams", { logGroupName: group, ...(prefix ? { logStreamNamePrefix: prefix } : {}) })
    .catch(() => ({ logStreams: [] }));
  return reply.logStreams.map((stream) => stream.logStreamName);
}

// A position in a stream: read() gives what has come since.
export class LogReader {
  private token?: string;
  constructor(private readonly group: string, private readonly stream: string) {}

  async read(): Promise<LogLine[]> {
    const page = await call<{ events: { timestamp: number; message: string }[]; nextForwardToken: string }>("logs", "GetLogEvents", {
      logGroupName: this.group, logStreamName: this.stream, startFromHead: true, ...(this.token ? { nextToken: this.token } : {}),
    });
    this.token = page.nextForwardToken;
    return page.events.map((event) => ({ time: event.timestamp, text: event.message }));
  }
}

