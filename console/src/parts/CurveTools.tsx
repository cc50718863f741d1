// What a page of curves lets people choose, kept in its address: axis, smoothing, the part of the axis that is shown.
import type { Axis, Curve, Window } from "../data/metrics";
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

// What dragging over a chart does, for keyboards; and back to the whole.
export function ZoomChoice({ curves, window }: { curves: Curve[]; window: Window }) {
  const from = window.from ?? Math.min(...curves.map((curve) => curve.x[0] ?? Infinity));
  const to = window.to ?? Math.max(...curves.map((curve) => curve.x.at(-1) ?? -Infinity));
  const length = to - from, zoomed = window.from !== undefined || window.to !== undefined;
  const button = (title: string, part: Zoom | null) => <button onClick={() => zoomTo(part)}>{title}</button>;
  return (
    <>
      {length > 0 && isFinite(length) ? button("Zoom in", { from: from + length / 4, to: to - length / 4 }) : null}
      {zoomed ? <>{button("Move left", { from: from - length / 2, to: to - length / 2 })}{button("Move right", { from: from + length / 2, to: to + length / 2 })}{button("Show all", null)}</> : null}
    </>
  );
}
