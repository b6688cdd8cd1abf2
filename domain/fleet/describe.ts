import { markdownList, type MarkdownRow, markdownTable } from '../shared/markdown.ts';
import { type FlowProgress, waitingFor } from '../shared/progress.ts';
import type { FleetStatus } from './fleet.ts';

/** How a wing shows its own counts, and what it asks a person. */
export interface FleetView<Counters> {
  /** The counts as rows of name and value. */
  rows(counters: Counters): readonly MarkdownRow[];
  /** The counts as short texts. */
  lines(counters: Counters): readonly string[];
  /** The question before work begins on `total` repositories. */
  question(total: number): string;
}

/** The state of a fleet flow as markdown for the Temporal UI, less than 40 kB. */
export function describeFleet<Counters>(status: FleetStatus, counters: Counters, view: FleetView<Counters>): string {
  const { stage, total, succeeded, failed, skipped, running, failures, sample } = status;
  const parts = [
    markdownTable([
      ['stage', stage],
      ...(status.waiting ? [['waiting', waitingFor(status.waiting)] as const] : []),
      ['matched', status.matched],
      ['to do', total],
      ['succeeded', succeeded],
      ['failed', failed],
      ['skipped', skipped],
      ...view.rows(counters),
    ]),
  ];
  if (stage === 'waiting for confirmation') {
    parts.push(`${view.question(total)}\n\nAnswer with the update \`confirm\`: \`{"proceed": true}\`.`);
    parts.push(markdownList('Matched', sample, total));
  }
  if (running.length > 0) parts.push(markdownList('Working on', running, running.length));
  if (failures.length > 0) {
    const shown = failures.slice(0, 20).map(({ repository, type, error }) => `${repository}: ${type}: ${clip(error)}`);
    parts.push(markdownList('Failed', shown, failed));
  }
  return parts.join('\n\n');
}

/** The progress of a fleet flow. */
export function fleetProgress<Counters>(
  status: FleetStatus,
  counters: Counters,
  view: FleetView<Counters>,
): FlowProgress {
  const { stage, sample, total, running, waiting, succeeded, failed } = status;
  const done = succeeded + failed;
  const [first, ...others] = running;
  const more = total > sample.length ? [`and ${total - sample.length} more`] : [];
  return {
    stage,
    done,
    // repositories that could not be checked are not part of the total
    total: Math.max(done, total),
    unit: 'repositories',
    lines: [
      ...view.lines(counters),
      ...(failed > 0 ? [`${failed} failed`] : []),
      ...(waiting ? [waitingFor(waiting)] : []),
      ...(first === undefined ? [] : [others.length === 0 ? first : `${first} and ${others.length} more`]),
    ],
    asks: stage === 'waiting for confirmation' ? { question: view.question(total), lines: [...sample, ...more] } : null,
  };
}

function clip(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
