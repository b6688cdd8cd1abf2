import { basename, dirname, resolve } from 'node:path';
import { WorkflowNotFoundError } from '@temporalio/common';
import { execa } from 'execa';
import pLimit from 'p-limit';
import { readApplications } from '../../../activities/catalog/groups/applications.ts';
import { isDue } from '../../../activities/catalog/groups/due.ts';
import {
  createGroupSchedules,
  type GroupSchedules,
  type ScheduledGroup,
} from '../../../activities/catalog/groups/schedules.ts';
import { parseSyncGroups, readDeclaration } from '../../../activities/catalog/groups/sync-groups-file.ts';
import type { CatalogFleetResult } from '../../../domain/catalog/flows/fleet.ts';
import {
  type ApplySyncGroupsInput,
  type ApplySyncGroupsResult,
  describeGroupChange,
  type GroupsPlan,
  type GroupsSource,
  isEffective,
  planGroups,
} from '../../../domain/catalog/groups/sync-groups.ts';
import { applySyncGroupsFlow } from '../../../domain/catalog/flows/group-flows.ts';
import { FAILURES, LonghaulError } from '../../../domain/shared/failures.ts';
import { userName } from '../../core/user-name.ts';
import type { CliContext } from '../../core/context.ts';
import { type ShownError, shownError, worstExitCode } from '../../core/errors.ts';
import { printable } from '../../core/sanitize.ts';
import { printList } from '../../core/print-list.ts';
import { type FlowOptions, runFlow } from '../flows/run-flow.ts';
import { connectTemporal, loadedConfig } from '../../core/servers.ts';

/** Options of `longhaul config apply`. */
export interface ApplyOptions extends FlowOptions {
  readonly file: string;
  /** Print the changes without making them. @default false */
  readonly dryRun?: boolean;
  /** Delete groups that are no longer declared. @default false */
  readonly prune?: boolean;
}

/** `longhaul config apply`: makes the schedules match a file of sync groups. */
export async function applyConfig(context: CliContext, options: ApplyOptions): Promise<number> {
  const { file, prune = false } = options;
  const document = readDeclaration(file);
  const providers = context.config.providers.map(({ name }) => name);
  const { groups, warnings } = parseSyncGroups(document, { file, providers });
  if (options.dryRun) {
    const running = await withSchedules(context, (schedules) => schedules.list());
    const plan = { changes: planGroups(groups, running, { prune }), warnings };
    if (options.json) context.stdout.write(`${JSON.stringify(plan)}\n`);
    else printPlan(context, plan);
    return 0;
  }
  const input: ApplySyncGroupsInput = { document, source: await sourceOf(context, file), prune };
  const print = (plan: GroupsPlan): number => {
    printPlan(context, plan);
    return 0;
  };
  return runFlow(context, { flow: applySyncGroupsFlow, input, print }, options);
}

/** `longhaul groups list`. */
export async function listGroups(context: CliContext, options: { readonly json?: boolean }): Promise<number> {
  const groups = await withSchedules(context, async (schedules, results) =>
    Promise.all((await schedules.list()).map(async (group) => ({ ...group, result: await results(group) }))),
  );
  return printList(context, groups, options, {
    head: ['group', 'schedule', 'state', 'next run', 'last run', 'result', 'missed', 'skipped'],
    row: (group) => [
      group.group.name,
      `${group.group.schedule} ${group.group.timezone}`,
      stateOf(group),
      timeOf(group.nextRun),
      timeOf(group.lastRun?.startedAt ?? null),
      describeResult(group.result),
      group.missed,
      group.skipped,
    ],
  });
}

/** `longhaul groups show`: all details of one group. */
export async function showGroup(context: CliContext, name: string, options: { json?: boolean }): Promise<number> {
  const shown = await withSchedules(context, async (schedules, results) => {
    const [group] = await schedules.find([name]);
    if (group === undefined) throw noGroup(name);
    return { ...group, result: await results(group) };
  });
  if (options.json) {
    context.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
    return 0;
  }
  const { group, applied, note, nextRun, lastRun, missed, skipped, result } = shown;
  const { default: Table } = await import('cli-table3');
  const table = new Table({ style: { head: [], border: [] } });
  const rows: [string, string | number][] = [
    ['group', group.name],
    ['description', group.description],
    ['schedule', `${group.schedule} ${group.timezone}`],
    ['jitter', `${group.jitterSeconds} s`],
    ['patterns', group.patterns.join('\n')],
    ['excluded', group.exclude.join('\n')],
    ['other branches', group.branches.join('\n')],
    ['parallel', group.parallel],
    ['priority', group.priority],
    ['state', stateOf(shown)],
    ['note', note ?? ''],
    [
      'applied',
      applied === null ? '' : `${applied.at} by ${applied.by} from ${applied.file} at ${applied.commit ?? 'no commit'}`,
    ],
    ['next run', timeOf(nextRun)],
    ['last run', lastRun === null ? 'none' : `${timeOf(lastRun.startedAt)} ${lastRun.workflowId}`],
    ['result', describeResult(result)],
    ['missed runs', missed],
    ['skipped runs', skipped],
  ];
  for (const [label, value] of rows) table.push([label, typeof value === 'string' ? printable(value) : value]);
  context.stdout.write(`${table.toString()}\n`);
  return 0;
}

/** `longhaul groups history`: the applied changes with their authors, oldest first. */
export async function listApplications(context: CliContext, options: { readonly json?: boolean }): Promise<number> {
  const { openBlobs } = await import('../../../activities/blobs/open-blobs.ts');
  const blobs = await openBlobs(loadedConfig(context), context.env);
  const applications: ApplySyncGroupsResult[] = [];
  for await (const one of readApplications(blobs, context.config.index.name)) applications.push(one);
  return printList(context, applications, options, {
    head: ['applied', 'by', 'file', 'commit', 'changes'],
    row: ({ appliedAt, source: { by, file, commit }, changes }) => [
      timeOf(appliedAt),
      by,
      file,
      commit?.slice(0, 10) ?? '',
      changes
        .filter(isEffective)
        .map(({ kind, name }) => `${kind} ${name}`)
        .join(', '),
    ],
  });
}

/** `longhaul groups pause` and `resume`. */
export async function switchGroup(
  context: CliContext,
  name: string,
  { paused, note }: { readonly paused: boolean; readonly note?: string },
): Promise<number> {
  const who = userName(context.env);
  const said = note ?? `${paused ? 'paused' : 'resumed'} by ${who}`;
  await withSchedules(context, (schedules) => (paused ? schedules.pause(name, said) : schedules.resume(name, said)));
  context.stdout.write(`${paused ? 'Paused' : 'Resumed'} ${printable(name)}.\n`);
  return 0;
}

/** `longhaul groups backfill`: starts the runs that were due in a past time span. */
export async function backfillGroup(
  context: CliContext,
  name: string,
  { from, to }: { readonly from: string; readonly to?: string },
): Promise<number> {
  const span = { start: dateOf('--from', from), end: to === undefined ? new Date() : dateOf('--to', to) };
  if (span.start >= span.end) throw new LonghaulError('InvalidInput', '--from must be earlier than --to.');
  await withSchedules(context, (schedules) => schedules.backfill(name, span));
  context.stdout.write(
    `Started; the runs execute one after another. Follow them with: longhaul groups show ${printable(name)}\n`,
  );
  return 0;
}

/** Which groups `longhaul sync` runs: the named ones, those that are due, or all. */
export type GroupChoice = { readonly names: readonly string[] } | 'due' | 'every';

/** A requested run of a group, with its result or failure. */
type AskedRun = { readonly group: string } & (
  | ({ readonly workflowId: string } & Partial<CatalogFleetResult>)
  /** The run could not be started, or did not complete. */
  | { readonly workflowId: string | null; readonly failure: ShownError }
);

/**
 * Runs groups now, at most `parallel` of them concurrently, and waits for them unless `wait` is false. A failing group
 * does not stop the others; each failure is reported. Returns the exit code of the worst result: a run that did not
 * complete is worse than one with failed repositories.
 */
export async function syncGroups(
  context: CliContext,
  choice: GroupChoice,
  options: FlowOptions & { readonly parallel: number },
): Promise<number> {
  const session = await connectTemporal(context);
  try {
    const schedules = createGroupSchedules(session.client, context.config.index.name);
    const names = await chosenGroups(schedules, choice);
    const runs = await pLimit(options.parallel).map(names, async (group): Promise<AskedRun> => {
      let workflowId: string | null = null;
      try {
        workflowId = await schedules.run(group);
        if (!options.json) context.stderr.write(`${printable(group)}: ${printable(workflowId)}\n`);
        if (options.wait === false) return { group, workflowId };
        const result = (await session.client.workflow.getHandle(workflowId).result()) as CatalogFleetResult;
        if (!options.json) printRun(context, group, result);
        return { group, workflowId, ...result };
      } catch (error) {
        const failure = shownError(error);
        if (!options.json) printFailure(context, group, failure);
        return { group, workflowId, failure };
      }
    });
    if (options.json) context.stdout.write(`${JSON.stringify({ groups: runs.map(runAsJson) })}\n`);
    else if (names.length === 0) context.stdout.write('No groups matched.\n');
    const failures = runs.flatMap((run) => ('failure' in run ? [run.failure] : []));
    if (failures.length > 0) return worstExitCode(failures);
    const failed = runs.some((run) => 'failed' in run && (run.failed ?? 0) > 0);
    return failed ? FAILURES.SomeRepositoriesFailed.exitCode : 0;
  } finally {
    await session.close();
  }
}

/** True when any sync group is declared. */
export function hasGroups(context: CliContext): Promise<boolean> {
  return withSchedules(context, async (schedules) => (await schedules.list()).length > 0);
}

async function chosenGroups(schedules: GroupSchedules, choice: GroupChoice): Promise<readonly string[]> {
  if (typeof choice === 'object') {
    const known = new Set((await schedules.find(choice.names)).map(({ group }) => group.name));
    const unknown = choice.names.find((name) => !known.has(name));
    if (unknown !== undefined) throw noGroup(unknown);
    return choice.names;
  }
  const now = new Date();
  const groups = (await schedules.list()).filter((group) => choice === 'every' || isDue(group, now));
  return groups.map(({ group }) => group.name);
}

function printFailure({ stderr }: CliContext, group: string, { type, message, remedy }: ShownError): void {
  stderr.write(`${printable(`${group}: ${type}: ${message}`)}\n${remedy === null ? '' : `${remedy}\n`}`);
}

function runAsJson(run: AskedRun): object {
  if (!('failure' in run)) return run;
  const { group, workflowId, failure } = run;
  const { type, message, remedy } = failure;
  return { group, workflowId, error: { type, message, remedy } };
}

function printRun({ stdout }: CliContext, name: string, result: CatalogFleetResult): void {
  stdout.write(`${printable(`${name}: ${describeCounts(result)}`)}\n`);
  for (const { repository, type, error } of result.failures) {
    stdout.write(`${printable(`  ${repository}: ${type}: ${error}`)}\n`);
  }
}

type ResultReader = (group: ScheduledGroup) => Promise<GroupRunResult | null>;

/** The state or result of a run. */
interface GroupRunResult {
  /** Temporal's status name. */
  readonly status: string;
  readonly result: CatalogFleetResult | null;
}

/** Runs `work` with the schedules of the configured index. */
async function withSchedules<Result>(
  context: CliContext,
  work: (schedules: GroupSchedules, results: ResultReader) => Promise<Result>,
): Promise<Result> {
  const session = await connectTemporal(context);
  const { client } = session;
  const readResult: ResultReader = async ({ lastRun }) => {
    if (lastRun === null) return null;
    const handle = client.workflow.getHandle(lastRun.workflowId);
    const status = await handle.describe().then(
      (description) => description.status.name,
      (error: unknown) => {
        // older than Temporal's retention period
        if (error instanceof WorkflowNotFoundError) return null;
        throw error;
      },
    );
    if (status === null) return null;
    return { status, result: status === 'COMPLETED' ? ((await handle.result()) as CatalogFleetResult) : null };
  };
  try {
    return await work(createGroupSchedules(client, context.config.index.name), readResult);
  } finally {
    await session.close();
  }
}

/** The error for a missing group. */
function noGroup(name: string): LonghaulError {
  return new LonghaulError('InvalidInput', `There is no sync group "${name}": see \`longhaul groups list\`.`);
}

/** Overrides the settings by which a folder could make git start a program: the file may be in anyone's. */
const GIT_STARTS_NOTHING = [
  'core.fsmonitor=false',
  'core.hooksPath=/dev/null',
  'log.showSignature=false',
  'protocol.allow=never',
].flatMap((setting) => ['-c', setting]);

/** The person who applies the file, and the commit that contains it unchanged, if any. */
async function sourceOf({ env }: CliContext, file: string): Promise<GroupsSource> {
  const path = resolve(file);
  const git = async (...args: string[]): Promise<string | null> => {
    const options = { cwd: dirname(path), env: { GIT_OPTIONAL_LOCKS: '0' }, reject: false } as const;
    const { stdout, failed } = await execa('git', [...GIT_STARTS_NOTHING, ...args], options);
    return failed ? null : stdout.trim();
  };
  // not `git status`: it runs the filters that the folder's own configuration names
  const committed = await git('rev-parse', '--verify', '--quiet', `HEAD:./${basename(path)}`);
  const present = await git('hash-object', '--no-filters', '--', path);
  const isCommitted = committed !== null && committed === present;
  const commit = isCommitted ? await git('log', '-1', '--format=%H', '--', path) : null;
  return { file, commit: commit || null, by: userName(env) };
}

function printPlan({ stdout, stderr }: CliContext, { changes, warnings }: GroupsPlan): void {
  for (const warning of warnings) stderr.write(`${printable(`warning: ${warning}`)}\n`);
  for (const change of changes) stdout.write(`${printable(describeGroupChange(change))}\n`);
  const effective = changes.filter(isEffective).length;
  stdout.write(effective === 0 ? 'Nothing changes.\n' : `${effective} of ${changes.length} groups.\n`);
}

function stateOf({ group, isPaused, lastRun }: ScheduledGroup): string {
  if (lastRun?.isRunning) return 'running';
  if (!isPaused) return group.paused ? 'resumed manually' : 'active';
  return group.paused ? 'paused' : 'paused manually';
}

function describeResult(run: GroupRunResult | null): string {
  if (run === null) return '';
  if (run.result === null) return run.status.toLowerCase();
  return describeCounts(run.result);
}

function describeCounts({ matched, succeeded, failed, filesChanged }: CatalogFleetResult): string {
  return `${matched} matched, ${succeeded} synced, ${failed} failed, ${filesChanged} files`;
}

function timeOf(time: string | null): string {
  return time === null ? '' : `${time.slice(0, 16).replace('T', ' ')} UTC`;
}

function dateOf(option: string, text: string): Date {
  const date = new Date(text);
  if (!Number.isNaN(date.getTime())) return date;
  throw new LonghaulError(
    'InvalidInput',
    `${option}: "${text}" is not a valid time: write it as 2026-11-21T08:00:00Z.`,
  );
}
