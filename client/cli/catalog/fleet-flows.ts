import type {
  OnboardInput,
  RemoveInput,
  SyncRepositoriesInput,
  VerifyInput,
} from '../../../domain/catalog/flows/flows.ts';
import type { CatalogFleetResult } from '../../../domain/catalog/flows/fleet.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { GivenOf } from '../../../domain/shared/flow.ts';
import {
  onboardRepositoriesFlow,
  removeRepositoriesFlow,
  syncRepositoriesFlow,
  verifyCatalogFlow,
} from '../../../domain/catalog/flows/fleet-flows.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';
import { type FlowOptions, runFlow } from '../flows/run-flow.ts';
import { FLEET_RESULT } from './results.ts';

/** Options of every command that starts a fleet flow. */
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

type PlannedFlow = typeof onboardRepositoriesFlow | typeof syncRepositoriesFlow | typeof removeRepositoriesFlow;

function runFleet<Declared extends PlannedFlow | typeof verifyCatalogFlow>(
  context: CliContext,
  flow: Declared,
  input: GivenOf<Declared>,
  options: FleetOptions,
): Promise<number> {
  const asks: boolean = 'confirm' in input && input.confirm;
  const print = async (result: CatalogFleetResult): Promise<number> => {
    await FLEET_RESULT.print(context, result);
    return FLEET_RESULT.exitCode(result);
  };
  const agrees = flow.type === onboardRepositoriesFlow.type && !asks;
  return runFlow(
    context,
    { flow, input, asks, agrees, print, exitCode: (result) => FLEET_RESULT.exitCode(result) },
    options,
  );
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
