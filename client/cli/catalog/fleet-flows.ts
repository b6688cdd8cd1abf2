import type {
  OnboardInput,
  RemoveInput,
  SyncRepositoriesInput,
  VerifyInput,
} from '../../../domain/catalog/flows/flows.ts';
import type { FleetResult } from '../../../domain/catalog/flows/fleet.ts';
import { proceedQuestion } from '../../../domain/catalog/flows/progress.ts';
import { describeDifferences, DIFFERENCES } from '../../../domain/catalog/index/verification.ts';
import { FAILURES, isFailureType, LonghaulError } from '../../../domain/shared/failures.ts';
import type { FlowRegistry, GivenOf } from '../../../domain/shared/flow.ts';
import {
  onboardRepositoriesFlow,
  removeRepositoriesFlow,
  syncRepositoriesFlow,
  verifyCatalogFlow,
} from '../../../domain/catalog/flows/fleet-flows.ts';
import type { CliContext } from '../../core/context.ts';
import type { FlowProgress } from './follow.ts';
import { printable } from '../../core/printable.ts';
import { askForConfirmation, type FlowOptions, followToEnd, runFlow } from './run-flow.ts';
import { switchQuestion } from './build-flows.ts';
import { connectTemporal } from '../../core/servers.ts';

/** Options of all commands over a fleet. */
export interface FleetOptions extends FlowOptions {
  /** Show the plan and start nothing. @default false */
  readonly dryRun?: boolean;
}

/** `longhaul index add`: onboards matching repositories; asks first unless `yes`. */
export async function addRepositories(
  context: CliContext,
  options: FleetOptions & { pattern: string[]; yes?: boolean; parallel: number },
): Promise<number> {
  const { yes = false } = options;
  if (!yes && !options.dryRun && !context.stdin.isTTY) {
    throw new LonghaulError(
      'InvalidInput',
      'Cannot ask for confirmation without a terminal: add --yes to index without one.',
    );
  }
  const input: OnboardInput = { patterns: options.pattern, confirm: !yes, parallel: options.parallel };
  if (options.dryRun) return dryRun(context, onboardRepositoriesFlow, input, options);
  return runFleet(context, onboardRepositoriesFlow, input, options);
}

/** Options of `longhaul sync`: exactly one of the choices. */
export interface SyncOptions extends FleetOptions {
  /** mgit patterns of the repositories to sync. */
  readonly pattern?: string[];
  /** Names of the groups to run. */
  readonly group?: string[];
  /** Run the groups that are due. @default false */
  readonly due?: boolean;
  /** Run all groups, or sync everything that is indexed. @default false */
  readonly all?: boolean;
  readonly parallel: number;
}

/**
 * `longhaul sync`: syncs groups or indexed repositories. With `all` every group; without groups, everything that is
 * indexed.
 */
export async function syncFleet(context: CliContext, options: SyncOptions): Promise<number> {
  const { pattern, group, due = false, all = false, parallel } = options;
  if ([pattern !== undefined, group !== undefined, due, all].filter(Boolean).length !== 1) {
    throw new LonghaulError('InvalidInput', 'Give one of --all, --due, --group and --pattern.');
  }
  if (options.dryRun && (group !== undefined || due)) {
    throw new LonghaulError('InvalidInput', '--dry-run needs --all or --pattern: see also `longhaul groups show`.');
  }
  const input: SyncRepositoriesInput = pattern === undefined ? { all, parallel } : { patterns: pattern, parallel };
  if (options.dryRun) return dryRun(context, syncRepositoriesFlow, input, options);
  if (pattern !== undefined) return runFleet(context, syncRepositoriesFlow, input, options);
  const { hasGroups, syncGroups } = await import('./groups.ts');
  if (group !== undefined) return syncGroups(context, { names: group }, options);
  if (due) return syncGroups(context, 'due', options);
  if (await hasGroups(context)) return syncGroups(context, 'every', options);
  return runFleet(context, syncRepositoriesFlow, input, options);
}

/** `longhaul index remove`: removes matching repositories, or one branch of them, from the index. */
export async function removeFromIndex(
  context: CliContext,
  options: FleetOptions & { pattern: string[]; branch?: string; parallel: number },
): Promise<number> {
  const { pattern: patterns, branch, parallel } = options;
  const input: RemoveInput = { patterns, ...(branch === undefined ? {} : { branch }), parallel };
  if (options.dryRun) return dryRun(context, removeRepositoriesFlow, input, options);
  return runFleet(context, removeRepositoriesFlow, input, options);
}

/** `longhaul index verify`: checks the index against git, and repairs it with `repair`. */
export async function verifyIndex(
  context: CliContext,
  patterns: string[],
  options: FleetOptions & { all?: boolean; full?: boolean; repair?: boolean; parallel: number },
): Promise<number> {
  const { all = false, full = false, repair = false, parallel } = options;
  if (all === patterns.length > 0)
    throw new LonghaulError('InvalidInput', 'Give either --all or at least one pattern.');
  const input: VerifyInput = { ...(all ? { all } : { patterns }), full, repair, parallel };
  return runFleet(context, verifyCatalogFlow, input, options);
}

/** `longhaul watch`: follows a running flow, or shows the result of a closed one. Throws `InvalidInput` for a run of an unknown workflow type. */
export async function watchFlow(
  context: CliContext,
  workflowId: string,
  options: { readonly json?: boolean; readonly flows: FlowRegistry },
): Promise<number> {
  const session = await connectTemporal(context);
  try {
    const run = { client: session.client, workflowId };
    const { type } = await session.client.workflow.getHandle(workflowId).describe();
    const flow = options.flows.find(type);
    if (flow === null)
      throw new LonghaulError('InvalidInput', `${workflowId} is a run of ${type}, which is not a flow of Longhaul.`);
    const mayAsk = Object.hasOwn(flow.updates, 'confirm');
    if (mayAsk && context.stdin.isTTY && !options.json) await askForConfirmation(context, run, questionOf);
    const result = (await followToEnd(context, run, options)) as object;
    if (options.json) context.stdout.write(`${JSON.stringify({ workflowId, ...result })}\n`);
    else if (isFleetResult(result)) await printFleetResult(context, result);
    else context.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return isFleetResult(result) ? exitCodeOf(result) : 0;
  } finally {
    await session.close();
  }
}

type PlannedFlow = typeof onboardRepositoriesFlow | typeof syncRepositoriesFlow | typeof removeRepositoriesFlow;

function runFleet<Declared extends PlannedFlow | typeof verifyCatalogFlow>(
  context: CliContext,
  flow: Declared,
  input: GivenOf<Declared>,
  options: FleetOptions,
): Promise<number> {
  const asks: boolean = 'confirm' in input && input.confirm;
  const question = asks ? onboardingQuestion : null;
  const print = async (result: FleetResult): Promise<number> => {
    await printFleetResult(context, result);
    return exitCodeOf(result);
  };
  const agrees = flow.type === onboardRepositoriesFlow.type && question === null;
  return runFlow(context, { flow, input, question, agrees, print, exitCode: exitCodeOf }, options);
}

/** An index that differs has its own exit code, regardless of other failures. */
function exitCodeOf({ failed, verification }: FleetResult): number {
  if (verification && verification.differing > verification.mended) return FAILURES.IndexDiffers.exitCode;
  return failed > 0 ? FAILURES.SomeRepositoriesFailed.exitCode : 0;
}

function isFleetResult(result: object): result is FleetResult {
  return 'matched' in result && 'declined' in result;
}

/** The question of any flow. */
function questionOf(progress: FlowProgress): string {
  return 'sample' in progress ? onboardingQuestion(progress) : switchQuestion(progress);
}

/** What `mgit list` matched, and the question whether to continue. */
function onboardingQuestion(progress: FlowProgress): string {
  if (!('sample' in progress)) return '';
  const { sample, total } = progress;
  const more = total > sample.length ? [`  and ${total - sample.length} more`] : [];
  return [...sample.map((name) => `  ${name}`), ...more, proceedQuestion(total)].join('\n');
}

async function printFleetResult({ stdout }: CliContext, result: FleetResult): Promise<void> {
  if (result.declined) {
    stdout.write('Declined: nothing was indexed.\n');
    return;
  }
  const { default: Table } = await import('cli-table3');
  const table = new Table({ style: { head: [], border: [] } });
  table.push(
    ['matched', result.matched],
    ['succeeded', result.succeeded],
    ['failed', result.failed],
    ['skipped (nothing to do)', result.skipped],
    ...(result.moved > 0 ? [['moved from a former name', result.moved]] : []),
    ['files changed', result.filesChanged],
    ['objects written', result.objectsWritten],
    ['objects deleted', result.objectsDeleted],
    ['texts embedded / reused', `${result.embedded} / ${result.embeddingsReused}`],
    ['seconds', (result.durationMs / 1000).toFixed(1)],
  );
  const { verification } = result;
  if (verification) {
    table.push(['differed / repaired', `${verification.differing} / ${verification.mended} repositories`]);
    for (const kind of DIFFERENCES) table.push([kind, verification.differences[kind]]);
  }
  stdout.write(`${table.toString()}\n`);
  for (const { repository, differences, isTrue } of verification?.repositories ?? []) {
    if (isTrue) stdout.write(`${printable(`${repository}: repaired: ${describeDifferences(differences)}`)}\n`);
  }
  for (const { repository, type, error } of result.failures) {
    stdout.write(`${printable(`${repository}: ${type}: ${error}`)}\n`);
    if (isFailureType(type)) stdout.write(`  ${FAILURES[type].remedy}\n`);
  }
  if (result.failed > result.failures.length) {
    stdout.write(`and ${result.failed - result.failures.length} more failures\n`);
  }
}

/** Prints what a flow would do, from the same plan that the flow uses. */
async function dryRun<Declared extends PlannedFlow>(
  context: CliContext,
  flow: Declared,
  input: GivenOf<Declared>,
  { json }: FleetOptions,
): Promise<number> {
  const [{ parseInput }, { planFleet }] = await Promise.all([
    import('../../../domain/shared/flow.schema.ts'),
    import('../../catalog/plan.ts'),
  ]);
  parseInput(flow, input);
  const plan = await planFleet(context, flow.type, input);
  if (json) {
    context.stdout.write(`${JSON.stringify({ dryRun: true, ...plan })}\n`);
    return 0;
  }
  for (const { id, formerly = [] } of plan.work) {
    const move = formerly.length === 0 ? '' : ` (formerly ${formerly.join(', ')})`;
    context.stdout.write(`${printable(`${id}${move}`)}\n`);
  }
  for (const { repository, error } of plan.failures) context.stderr.write(`${printable(`${repository}: ${error}`)}\n`);
  const verb = { onboardRepositories: 'index', syncRepositories: 'sync', removeRepositories: 'remove' }[flow.type];
  context.stderr.write(
    `Would ${verb} ${plan.work.length} of ${plan.matched} matching repositories; ${plan.upToDate.length} are up to date.\n`,
  );
  return 0;
}
