import type { Client } from '@temporalio/client';
import { readAlertSchedule, watchScheduleId } from '../../../activities/catalog/alerts/schedule.ts';
import type { CliContext } from '../../core/context.ts';
import { shownError } from '../../core/errors.ts';
import { printable } from '../../core/sanitize.ts';
import type { Finding } from '../commands.ts';
import { fine, wrong } from '../finding.ts';

const NAME = 'alerts';

/** The schedule runs every five minutes; after this long without a run it is overdue. */
const OVERDUE_MS = 900_000;

/** Checks that the alerts' schedule exists, runs and succeeds. Without channels there is no schedule. */
export async function alertsFinding(
  { config }: Pick<CliContext, 'config'>,
  client: Client,
  now = new Date(),
): Promise<Finding> {
  const { alerts, index } = config;
  if (alerts.channels.length === 0) return fine(NAME, 'no channels in longhaul.yaml');
  const id = watchScheduleId(index.name);
  const channels = alerts.channels.map(({ name }) => name).join(', ');
  const schedule = await readAlertSchedule(client, index.name);
  if (schedule === null) {
    return wrong(
      NAME,
      `${channels}; the schedule ${id} does not exist`,
      'Restart the worker: it creates the schedule.',
    );
  }
  const { isPaused, createdAt, startedAt, ended } = schedule;
  if (isPaused) {
    return wrong(NAME, `the schedule ${id} is paused`, `Resume it: \`temporal schedule toggle --unpause -s ${id}\`.`);
  }
  const since = startedAt ?? createdAt;
  if (now.getTime() - since.getTime() > OVERDUE_MS) {
    const found = `the schedule ${id} last started a run at ${since.toISOString()}`;
    return wrong(NAME, found, `Look at the runs of ${id} in the Temporal UI: one may wait for a worker or a channel.`);
  }
  if (ended !== null && !ended.isComplete) {
    const reason = await client.workflow
      .getHandle(ended.workflowId)
      .result()
      .then(() => 'unknown', reasonOf);
    return wrong(
      NAME,
      `the last check failed: ${reason}`,
      `The next run of ${id} sends what was missed: correct the channel.`,
    );
  }
  return fine(NAME, `${channels}; ${startedAt === null ? 'not checked yet' : `checked at ${startedAt.toISOString()}`}`);
}

function reasonOf(error: unknown): string {
  return printable(shownError(error).message);
}
