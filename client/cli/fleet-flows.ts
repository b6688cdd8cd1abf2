import type { OnboardInput, RemoveInput, SyncRepositoriesInput, VerifyInput } from '../../domain/catalog/flows.ts';
import type { FleetProgress, FleetResult } from '../../domain/catalog/flows.ts';
import { proceedQuestion } from '../../domain/catalog/progress.ts';
import { describeDifferences, DIFFERENCES } from '../../domain/catalog/verification.ts';
import { FAILURES, isFailureType, LonghaulError } from '../../domain/failures.ts';
import type { Flows } from '../flows.ts';
import type { CliContext } from './context.ts';
import { follow, readProgress } from './follow.ts';
import { printable } from './printable.ts';
import { connectTemporal, type TemporalSession } from './servers.ts';

/** Options that all commands over a fleet share. */
export interface FleetOptions {
  /** Print one JSON object at the end and nothing else. */
  readonly json?: boolean;
  /** False with `--no-wait`: start the flow and return. */
  readonly wait?: boolean;
  /** Say what would be done; start nothing. */
  readonly dryRun?: boolean;
}

/** `longhaul index add`: onboards what matches; asks first unless `yes`. */
export async function addRepositories(
  context: CliContext,
  options: FleetOptions & { pattern: string[]; yes?: boolean; parallel: number },
): Promise<number> {
  const { yes = false } = options;
  if (!yes && !options.dryRun && !process.stdin.isTTY) {
    throw new LonghaulError('InvalidInput', 'Nobody can be asked here: add --yes to index without a confirmation.');
  }
  const input: OnboardInput = { patterns: options.pattern, confirm: !yes, parallel: options.parallel };
  if (options.dryRun) return dryRun(context, 'onboardRepositories', input, options);
  return runFleet(context, 'onboardRepositories', input, options);
}

/** `longhaul sync`: brings what is indexed up to date. */
export async function syncFleet(
  context: CliContext,
  options: FleetOptions & { pattern?: string[]; all?: boolean; parallel: number },
): Promise<number> {
  const { pattern, all = false, parallel } = options;
  if (all === (pattern !== undefined)) {
    throw new LonghaulError('InvalidInput', 'Give either --all or at least one --pattern.');
  }
  const input: SyncRepositoriesInput = pattern === undefined ? { all, parallel } : { patterns: pattern, parallel };
  if (options.dryRun) return dryRun(context, 'syncRepositories', input, options);
  return runFleet(context, 'syncRepositories', input, options);
}

/** `longhaul index remove`: takes what matches out of the index. */
export async function removeFromIndex(
  context: CliContext,
  options: FleetOptions & { pattern: string[]; parallel: number },
): Promise<number> {
  const input: RemoveInput = { patterns: options.pattern, parallel: options.parallel };
  if (options.dryRun) return dryRun(context, 'removeRepositories', input, options);
  return runFleet(context, 'removeRepositories', input, options);
}

/** `longhaul index verify`: holds the index against git, and mends it with `repair`. */
export async function verifyIndex(
  context: CliContext,
  patterns: string[],
  options: FleetOptions & { all?: boolean; full?: boolean; repair?: boolean; parallel: number },
): Promise<number> {
  const { all = false, full = false, repair = false, parallel } = options;
  if (all === patterns.length > 0)
    throw new LonghaulError('InvalidInput', 'Give either --all or at least one pattern.');
  const input: VerifyInput = { ...(all ? { all } : { patterns }), full, repair, parallel };
  return runFleet(context, 'verifyCatalog', input, options);
}

/** `longhaul watch`: follows a flow that runs, or shows the result of one that ended. */
export async function watchFlow(
  context: CliContext,
  workflowId: string,
  options: { readonly json?: boolean },
): Promise<number> {
  const session = await connectTemporal(context);
  try {
    return await finish(context, session, workflowId, options);
  } finally {
    await session.close();
  }
}

type PlannedFlow = 'onboardRepositories' | 'syncRepositories' | 'removeRepositories';

async function runFleet<Type extends PlannedFlow | 'verifyCatalog'>(
  context: CliContext,
  type: Type,
  input: Flows[Type]['input'],
  options: FleetOptions,
): Promise<number> {
  const { startFlow } = await import('../flows.ts');
  const session = await connectTemporal(context);
  try {
    const { workflowId } = await startFlow(session.client, type, input);
    if (!options.json) {
      const where =
        session.uiUrl === null
          ? ''
          : `  ${session.uiUrl}/namespaces/${session.client.options.namespace}/workflows/${encodeURIComponent(workflowId)}`;
      context.stderr.write(`${workflowId}${where}\n`);
    }
    if (options.wait === false) {
      if (options.json) context.stdout.write(`${JSON.stringify({ workflowId })}\n`);
      else context.stderr.write(`It goes on by itself; follow it with: longhaul watch ${workflowId}\n`);
      return 0;
    }
    if ('confirm' in input && input.confirm) await askForConfirmation(context, session, workflowId);
    return await finish(context, session, workflowId, options);
  } finally {
    await session.close();
  }
}

async function finish(
  context: CliContext,
  { client }: TemporalSession,
  workflowId: string,
  options: FleetOptions,
): Promise<number> {
  const detach = (): void => {
    context.stderr.write(`\nThe flow goes on; follow it again with: longhaul watch ${workflowId}\n`);
    process.exit(130);
  };
  process.once('SIGINT', detach);
  try {
    const result = await follow(context, { client, workflowId, show: options.json !== true });
    if (options.json) context.stdout.write(`${JSON.stringify({ workflowId, ...result })}\n`);
    else if ('matched' in result) await printFleetResult(context, result);
    else context.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return 'failed' in result ? exitCodeOf(result) : 0;
  } finally {
    process.off('SIGINT', detach);
  }
}

/** An index that differs is worth a code of its own, whatever else failed. */
function exitCodeOf({ failed, verification }: FleetResult): number {
  if (verification && verification.differing > verification.mended) return FAILURES.IndexDiffers.exitCode;
  return failed > 0 ? FAILURES.SomeRepositoriesFailed.exitCode : 0;
}

/** Shows what `mgit list` matched and sends the person's answer to the flow. */
async function askForConfirmation(context: CliContext, { client }: TemporalSession, workflowId: string): Promise<void> {
  const handle = client.workflow.getHandle(workflowId);
  const progress = await untilAsked(handle);
  if (progress?.stage !== 'waiting for confirmation') return;
  const { createInterface } = await import('node:readline/promises');
  for (const name of progress.sample) context.stderr.write(`  ${printable(name)}\n`);
  if (progress.total > progress.sample.length) {
    context.stderr.write(`  and ${progress.total - progress.sample.length} more\n`);
  }
  const terminal = createInterface({ input: process.stdin, output: context.stderr });
  const answer = await terminal.question(`${proceedQuestion(progress.total)} [y/N]: `);
  terminal.close();
  const proceed = /^y(es)?$/i.test(answer.trim());
  await handle.executeUpdate('confirm', {
    args: [{ proceed, by: context.env['USER'] ?? context.env['LOGNAME'] ?? 'unknown' }],
    updateId: `confirm-${workflowId}-${process.pid}`,
  });
}

async function untilAsked(handle: Parameters<typeof readProgress>[0]): Promise<FleetProgress | null> {
  for (;;) {
    const progress = await readProgress(handle);
    if (progress !== null && progress.stage !== 'finding') return progress;
    const { status } = await handle.describe();
    if (status.name !== 'RUNNING') return null;
    await new Promise((resolve) => {
      setTimeout(resolve, 200);
    });
  }
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
    table.push(['differed / mended', `${verification.differing} / ${verification.mended} repositories`]);
    for (const kind of DIFFERENCES) table.push([kind, verification.differences[kind]]);
  }
  stdout.write(`${table.toString()}\n`);
  for (const { repository, differences, isTrue } of verification?.repositories ?? []) {
    if (isTrue) stdout.write(`${printable(`${repository}: mended: ${describeDifferences(differences)}`)}\n`);
  }
  for (const { repository, type, error } of result.failures) {
    stdout.write(`${printable(`${repository}: ${type}: ${error}`)}\n`);
    if (isFailureType(type)) stdout.write(`  ${FAILURES[type].remedy}\n`);
  }
  if (result.failed > result.failures.length) {
    stdout.write(`and ${result.failed - result.failures.length} more failures\n`);
  }
}

/** Says what a flow would do, by the same plan that the flow follows. */
async function dryRun<Type extends PlannedFlow>(
  context: CliContext,
  type: Type,
  input: Flows[Type]['input'],
  { json }: FleetOptions,
): Promise<number> {
  const [{ parseFlowInput }, { planFleet }] = await Promise.all([
    import('../../activities/input.ts'),
    import('../plan.ts'),
  ]);
  parseFlowInput(type, input);
  const plan = await planFleet(context, type, 'patterns' in input ? (input.patterns ?? null) : null);
  if (json) {
    context.stdout.write(`${JSON.stringify({ dryRun: true, ...plan })}\n`);
    return 0;
  }
  for (const { id, formerly = [] } of plan.work) {
    const move = formerly.length === 0 ? '' : ` (formerly ${formerly.join(', ')})`;
    context.stdout.write(`${printable(`${id}${move}`)}\n`);
  }
  for (const { repository, error } of plan.failures) context.stderr.write(`${printable(`${repository}: ${error}`)}\n`);
  const verb = { onboardRepositories: 'index', syncRepositories: 'sync', removeRepositories: 'remove' }[type];
  context.stderr.write(
    `Would ${verb} ${plan.work.length} of ${plan.matched} matching repositories; ${plan.upToDate.length} need nothing.\n`,
  );
  return 0;
}
