// What a page of curves lets people choose, kept in its address: axis, smoothing, the part of the axis that is shown.
import type { Axis, Window } from "../data/metrics";
import { choose, query } from "../router";
import type { Zoom } from "./Chart";

const AXES: Record<Axis, string> = { time: "time", elapsed: "since start", step: "step" };

// `axes`: those that the page offers, of which the first is the usual one.
export function chosenWindow(axes: Axis[]): Window & { axis: Axis } {
  const number = (name: string) => (query.value.has(name) ? Number(query.value.get(name)) : undefined);
  const axis = axes.find((one) => one === query.value.get("axis")) ?? axes[0]!;
  return { axis, smoothing: number("smoothing") || undefined, from: number("from"), to: number("to") };
}

export const zoomTo = (part: Zoom | null) => choose({ from: part && String(part.from), to: part && String(part.to) });

export function AxisChoice({ axes, axis }: { axes: Axis[]; axis: Axis }) {
  return (
    <label>Axis <select value={axis} onChange={(event) => choose({ axis: event.currentTarget.value, from: null, to: null })}>
      {axes.map((one) => <option key={one} value={one}>{AXES[one]}</option>)}
    </select></label>
  );
}

export function SmoothingChoice({ smoothing = 0 }: { smoothing?: number }) {
  return <label>Smoothing <input type="range" min="0" max="0.99" step="0.01" value={smoothing} onInput={(event) => choose({ smoothing: event.currentTarget.value })} /> {smoothing}</label>;
}

export function WholeAxis({ from, to }: Window) {
  return from === undefined && to === undefined ? null : <button onClick={() => zoomTo(null)}>Show all</button>;
}
