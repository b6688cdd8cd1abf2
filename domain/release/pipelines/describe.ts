import type { RunPlan } from './plan.ts';
import type { Ends } from './schedule.ts';

/** Lines of a list in the Temporal UI. */
const MOST_LINES = 60;

/** The jobs of a run as markdown, for the details that the Temporal UI shows. */
export function describeRun({ pipeline, jobs }: RunPlan, ends: Ends, running: readonly string[]): string {
  const lines = jobs.map(({ id }) => `- ${id}: ${ends[id] ?? (running.includes(id) ? 'running' : 'waiting')}`);
  const more = lines.length > MOST_LINES ? [`- and ${lines.length - MOST_LINES} more`] : [];
  return [`**${pipeline}**`, '', ...lines.slice(0, MOST_LINES), ...more].join('\n');
}
