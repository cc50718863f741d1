// A job's phases as bars on one time line.
import type { Phase } from "../data/jobs";
import { duration } from "../format";

export function Timeline({ phases, now }: { phases: Phase[]; now: number }) {
  const begin = phases[0]?.start ?? now, end = Math.max(...phases.map((phase) => phase.end ?? now), begin + 0.001);
  return (
    <table class="timeline">
      <caption class="visually-hidden">Phases</caption>
      <tbody>
        {phases.map((phase, i) => {
          const from = (phase.start - begin) / (end - begin), share = ((phase.end ?? now) - phase.start) / (end - begin);
          return (
            <tr key={i}>
              <th scope="row">{phase.name}</th>
              <td class="number">{duration((phase.end ?? now) - phase.start)}</td>
              <td class="bars"><div class={`bar ${phase.name}`} style={{ marginLeft: `${from * 100}%`, width: `max(2px, ${share * 100}%)` }} /></td>
              <td><small>{phase.message}</small></td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
