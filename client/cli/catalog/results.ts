import { comparisonRows, type ReembedResult } from '../../../domain/catalog/flows/build-flows.ts';
import type { CatalogFleetResult } from '../../../domain/catalog/flows/fleet.ts';
import {
  onboardRepositoriesFlow,
  removeRepositoriesFlow,
  syncRepositoriesFlow,
  verifyCatalogFlow,
} from '../../../domain/catalog/flows/fleet-flows.ts';
import { syncGroupFlow } from '../../../domain/catalog/flows/group-flows.ts';
import { fillBuildFlow, reembedIndexFlow } from '../../../domain/catalog/flows/index-flows.ts';
import { describeDifferences, DIFFERENCES } from '../../../domain/catalog/index/verification.ts';
import { FAILURES, isFailureType } from '../../../domain/shared/failures.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';
import type { ResultPrinter } from '../commands.ts';

/** Prints the result of any fleet flow: a table, and a line for each failure. */
export const FLEET_RESULT: ResultPrinter<CatalogFleetResult> = { print: printFleetResult, exitCode: exitCodeOf };

/** The printers of the catalog's flows, by workflow type. */
export const RESULTS: ReadonlyMap<string, ResultPrinter> = new Map<string, ResultPrinter>([
  ...[
    onboardRepositoriesFlow,
    syncRepositoriesFlow,
    removeRepositoriesFlow,
    verifyCatalogFlow,
    syncGroupFlow,
    fillBuildFlow,
  ].map(({ type }) => [type, FLEET_RESULT] as const),
  [reembedIndexFlow.type, { print: printReembedded, exitCode: () => 0 }],
]);

/** An index that still differs has its own exit code, whatever else failed. */
function exitCodeOf({ failed, verification }: CatalogFleetResult): number {
  if (verification && verification.differing > verification.mended) return FAILURES.IndexDiffers.exitCode;
  return failed > 0 ? FAILURES.SomeRepositoriesFailed.exitCode : 0;
}

async function printFleetResult({ stdout }: CliContext, result: CatalogFleetResult): Promise<void> {
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

/** Prints the result of a `reembedIndex`. Returns the exit code. */
export function printReembedded({ stdout }: CliContext, result: ReembedResult): number {
  stdout.write(`${describe(result)}\n`);
  return 0;
}

function describe({
  switched,
  from,
  to,
  repositories,
  failed,
  failures,
  comparison,
  ...counts
}: ReembedResult): string {
  const lines = [
    switched
      ? `Live build: ${to} (was ${from ?? 'none'}).`
      : from === to
        ? `Build ${to} is live already.`
        : `Build ${from} stays live; ${to} is ready but not live.`,
    `${repositories} repositories, ${counts.objectsWritten} objects written, ${counts.embedded} texts embedded, ` +
      `${counts.embeddingsReused} reused, ${(counts.durationMs / 1000).toFixed(1)} s.`,
    ...(comparison === null ? [] : comparisonRows(comparison).map(([name, value]) => `${name}: ${value}`)),
    ...(failed > 0 ? [`${failed} repositories are missing in it:`] : []),
    ...failures.map(({ repository, error }) => `  ${repository}: ${error}`),
  ];
  if (switched) lines.push('Undo: longhaul index rollback. Delete the old build: longhaul index prune --previous.');
  return lines.map(printable).join('\n');
}
