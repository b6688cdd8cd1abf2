import type { GroupView } from '../../../activities/catalog/groups/view.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { isOpen } from '../../../domain/shared/run-status.ts';
import { connectAndViewFleet, type FleetReport } from '../../catalog/fleet-view.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';
import { plainTable } from '../stack/stack-table.ts';

/** The fleet for `longhaul status`; null while a server is unavailable. */
export async function readFleet(
  context: CliContext,
): Promise<{ readonly value: FleetReport; readonly text: string } | null> {
  try {
    const value = await connectAndViewFleet(context);
    return { value, text: glance(value) };
  } catch (error) {
    if (error instanceof LonghaulError && error.type === 'ServerUnavailable') return null;
    throw error;
  }
}

/** The fleet in a few lines. */
function glance({ repositories, groups }: FleetReport): string {
  const unfinished = repositories.filter(({ state }) => state === 'unfinished').length;
  const failing = new Set(groups.flatMap(({ latest }) => latest?.result?.failures ?? []).map((one) => one.repository));
  const branches = repositories.reduce((sum, one) => sum + one.branches.length, 0);
  const extra = branches === 0 ? '' : `, and ${branches} branches in addition to their HEADs`;
  const lines = [
    `${repositories.length} repositories indexed${extra}, ${unfinished} unfinished, ${failing.size} failing`,
  ];
  if (groups.length > 0) {
    const head = ['group', 'state', 'repositories', 'failing', 'complete as of', 'next run', 'missed', 'skipped'];
    lines.push('', plainTable([head, ...groups.map(groupRow)]));
  }
  return lines.join('\n');
}

function groupRow({ group, isPaused, latest, completeAt, nextRun, missed, skipped }: GroupView): string[] {
  const hasOpenRun = latest !== null && isOpen(latest.status);
  const state = hasOpenRun ? latest.status.toLowerCase() : isPaused ? 'paused' : 'active';
  const failed = latest?.result?.failed ?? (latest === null || hasOpenRun ? '' : latest.status);
  const cells = [
    group.name,
    state,
    latest?.result?.matched ?? '',
    failed,
    time(completeAt, 'not recently'),
    time(nextRun, ''),
  ];
  return [...cells, missed, skipped].map((cell) => printable(String(cell)));
}

function time(iso: string | null, none: string): string {
  return iso === null ? none : `${iso.slice(0, 16).replace('T', ' ')}Z`;
}
