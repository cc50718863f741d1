// The server's machine: what is used of it, what runs, and what `headrace doctor` says of it.
import { call } from "../wire";

export interface Usage {
  processes: number;
  threads: number;
  cpuSeconds: number; // counted up
  memory: number;
}

export interface Running extends Usage {
  kind: string;
  name: string;
  host: string;
  pid: number;
}

export interface Machine {
  at: number;
  versions: [name: string, version: string][];
  server: Usage & { pid: number; started: number };
  cores: { count: number; forJobs: number; takenByJobs: number; load: number[]; busySeconds: number };
  memory: { bytes: number; available: number };
  disk?: { bytes: number; free: number };
  processes: Running[];
}

interface WireUsage {
  Processes: number;
  Threads: number;
  CpuSeconds: number;
  MemoryBytes: number;
}

const usageOf = (wire: WireUsage): Usage => ({ processes: wire.Processes, threads: wire.Threads, cpuSeconds: wire.CpuSeconds, memory: wire.MemoryBytes });

export async function describeMachine(): Promise<Machine> {
  const wire = await call<{
    Versions: Record<string, string>; Server: WireUsage & { Process: number; Started: number };
    Cores: { Count: number; ForJobs: number; TakenByJobs: number; Load: number[]; BusySeconds: number };
    Memory: { Bytes?: number; Available?: number }; Disk?: { Bytes: number; Free: number };
    Processes: (WireUsage & { Kind: string; Name: string; Host: string; Process: number })[];
  }>("headrace", "DescribeMachine");
  return {
    at: performance.now() / 1000,
    versions: Object.entries(wire.Versions),
    server: { ...usageOf(wire.Server), pid: wire.Server.Process, started: wire.Server.Started },
    cores: { count: wire.Cores.Count, forJobs: wire.Cores.ForJobs, takenByJobs: wire.Cores.TakenByJobs, load: wire.Cores.Load, busySeconds: wire.Cores.BusySeconds },
    memory: { bytes: wire.Memory.Bytes ?? NaN, available: wire.Memory.Available ?? NaN },
    disk: wire.Disk ? { bytes: wire.Disk.Bytes, free: wire.Disk.Free } : undefined,
    processes: wire.Processes.map((one) => ({ ...usageOf(one), kind: one.Kind, name: one.Name, host: one.Host, pid: one.Process })),
  };
}

export interface Examination {
  running: boolean;
  at?: number; // of the last one that has ended
  checks: { name: string; verdict: string; detail: string }[];
}

export async function examineMachine(again: boolean): Promise<Examination> {
  const wire = await call<{ Running: boolean; Time?: number; Checks?: { check: string; verdict: string; detail: string }[] }>("headrace", "ExamineMachine", { Again: again });
  return { running: wire.Running, at: wire.Time, checks: (wire.Checks ?? []).map((one) => ({ name: one.check, verdict: one.verdict, detail: one.detail })) };
}
