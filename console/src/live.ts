// What a view reads again while it is shown.
import { useLayoutEffect, useRef, useState } from "preact/hooks";

export interface Loaded<T> {
  value?: T;
  problem?: Error;
  reload: () => void;
}

// Reads at once, whenever `inputs` change, and every `seconds` while the page is visible; 0: not again.
export function useLoaded<T>(read: () => Promise<T>, inputs: unknown[], seconds: number | ((value: T | undefined) => number) = 0): Loaded<T> {
  const [state, setState] = useState<{ value?: T; problem?: Error }>({});
  const latest = useRef<() => void>(() => {});
  useLayoutEffect(() => { // an effect would wait for a frame, and the request with it
    let ended = false, timer: ReturnType<typeof setTimeout> | undefined, value: T | undefined;
    const run = async () => {
      clearTimeout(timer);
      if (document.visibilityState === "visible" || value === undefined) {
        try {
          value = await read();
          if (!ended) setState({ value });
        } catch (problem) {
          if (!ended) setState((before) => ({ value: before.value, problem: problem as Error }));
        }
      }
      const pause = typeof seconds === "function" ? seconds(value) : seconds;
      if (!ended && pause > 0) timer = setTimeout(run, pause * 1000);
    };
    latest.current = run;
    setState({});
    void run();
    return () => { ended = true; clearTimeout(timer); };
  }, inputs);
  return { ...state, reload: () => latest.current() };
}

// What was shown before, until there is something else: a chart does not vanish while it is read anew.
export function useLatest<T>(value: T | undefined): T | undefined {
  const latest = useRef(value);
  if (value !== undefined) latest.current = value;
  return latest.current;
}
