import type { Client, WorkflowHandle } from '@temporalio/client';
import type { FlowProgress } from '../../../domain/shared/progress.ts';
import type { StageOutputs, StartFrom } from '../../../domain/shared/stages.ts';

/** What a command printed on standard error while its flow ran: the flow's id, and its progress. */
export interface Aside {
  readonly command: string;
  readonly lines: readonly string[];
}

/** The form of a flow's id as a line of its own. */
const ID = /^[a-z][a-z-]*\/\S+$/;
/** The form of a line of progress. */
const PROGRESS = /^[a-z][^:]*: \d+\/\d+ .*$/;
/** The same for a flow whose progress is its steps, with the names of the running ones. */
const STEPS = /^(?:starting|waiting|working|done|failed|cancelled): (\d+)\/(\d+) steps((?: {2}.+?)*)$/;

/** Whether a line of standard error may be an aside. {@link unexplained} shows whether it is one. */
export function mayBeAside(line: string): boolean {
  return ID.test(line) || PROGRESS.test(line);
}

/**
 * The lines of asides that Temporal does not account for. A command begins with the id of a flow that began since `since`
 * (in milliseconds since 1970), and that no other command names; its other lines are what that flow, or a child of it, may
 * report: the stages and the steps that its history has.
 */
export async function unexplained(client: Client, asides: readonly Aside[], since: number): Promise<readonly string[]> {
  const named = new Set<string>();
  const found: string[] = [];
  for (const { command, lines } of asides) {
    const [id = '', ...progress] = lines;
    const began = ID.test(id) && !named.has(id) ? await beginOf(client, id) : null;
    if (began === null || began < since) {
      found.push(...lines.map((line) => `${command}: ${line}`));
      continue;
    }
    named.add(id);
    const isReported = await reportsOf(client, id);
    found.push(...progress.filter((line) => !isReported(line)).map((line) => `${command}: ${line}`));
  }
  return found;
}

/** When a flow began; null when there is none. */
async function beginOf(client: Client, id: string): Promise<number | null> {
  try {
    return (await client.workflow.getHandle(id).describe()).startTime.getTime();
  } catch {
    return null;
  }
}

/** Whether a flow or one of its children may have reported a line. */
async function reportsOf(client: Client, id: string): Promise<(line: string) => boolean> {
  const handle = client.workflow.getHandle(id);
  const { events } = await handle.fetchHistory();
  const summaries = new Set<string>();
  const children: string[] = [];
  let begun = 0;
  for (const event of events ?? []) {
    const activity = event.activityTaskScheduledEventAttributes;
    const child = event.startChildWorkflowExecutionInitiatedEventAttributes;
    if (!activity && !child) continue;
    begun++;
    const summary = event.userMetadata?.summary?.data;
    const type = activity?.activityType?.name ?? child?.workflowType?.name ?? '';
    summaries.add(summary ? (JSON.parse(Buffer.from(summary).toString('utf8')) as string) : type);
    if (child?.workflowId) children.push(child.workflowId);
  }
  const stages = await stagesOf(handle);
  const ofChildren = await Promise.all(children.map((child) => reportsOf(client, child)));
  return (line) => {
    const [, done, total, names] = STEPS.exec(line) ?? [];
    const isStep =
      stages.length === 0 &&
      total !== undefined &&
      Number(done) <= Number(total) &&
      Number(total) <= begun &&
      (names ?? '').split('  ').every((name) => name === '' || summaries.has(name));
    return isStep || stages.includes(line) || ofChildren.some((isReported) => isReported(line));
  };
}

/** All that a flow with stages may report, from the names that it has reached; empty for other flows. */
async function stagesOf(handle: WorkflowHandle): Promise<readonly string[]> {
  const { stage, total, unit } = await handle.query<FlowProgress>('progress');
  if (unit !== 'stages') return [];
  const { outputs } = await handle.query<StartFrom<StageOutputs>>('stages');
  const names = [...Object.keys(outputs).filter((name) => name !== stage), stage];
  return [
    ...names.map((name, done) => `${name}: ${done}/${total} stages`),
    // the last stage is done
    ...(names.length === total ? [`${stage}: ${total}/${total} stages`] : []),
  ];
}
