import { readFileSync } from 'node:fs';
import type { StoredQuery } from '../../../domain/catalog/index/build.ts';
import { comparisonRows, type ReembedResult, SWITCH_QUESTION } from '../../../domain/catalog/flows/build-flows.ts';
import { pruneIndexFlow, reembedIndexFlow, switchIndexFlow } from '../../../domain/catalog/flows/index-flows.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { modelName } from '../../../domain/shared/model.ts';
import type { CliContext } from '../../core/context.ts';
import type { FlowProgress } from './follow.ts';
import { printable } from '../../core/printable.ts';
import { printList } from '../../core/print-list.ts';
import { type FlowOptions, runFlow } from './run-flow.ts';

/** `longhaul index builds`: the builds of the index, the live one first. */
export async function listBuilds(context: CliContext, options: { readonly json?: boolean }): Promise<number> {
  const { readBuilds } = await import('../../catalog/plan.ts');
  return printList(context, await readBuilds(context), options, {
    head: ['build', 'role', 'model', 'repositories', 'objects'],
    row: ({ digest, role, settings, repositories, objects }) => [
      digest,
      role,
      modelName(settings.model),
      repositories,
      objects,
    ],
  });
}

/** Options of `longhaul index reembed`. */
export interface ReembedOptions extends FlowOptions {
  /** Model of the new build. @default that of the live one */
  readonly model?: string;
  /** YAML file with stored queries (docs/search.md). */
  readonly queries?: string;
  /** Switch without asking. @default false */
  readonly yes?: boolean;
  readonly parallel: number;
}

/** `longhaul index reembed`: builds another index in parallel to the live build, compares both and switches. */
export async function reembed(context: CliContext, options: ReembedOptions): Promise<number> {
  const { model, yes = false, parallel } = options;
  if (!yes && options.wait !== false && !context.stdin.isTTY) {
    throw new LonghaulError(
      'InvalidInput',
      'Cannot ask for confirmation without a terminal: add --yes, or --no-wait and answer later.',
    );
  }
  const queries = options.queries === undefined ? [] : await readQueries(options.queries);
  const input = { queries, yes, parallel, ...(model === undefined ? {} : { model }) };
  const print = (result: ReembedResult): number => {
    context.stdout.write(`${describe(result)}\n`);
    return 0;
  };
  return runFlow(context, { flow: reembedIndexFlow, input, question: yes ? null : switchQuestion, print }, options);
}

/** `longhaul index switch` and `rollback`: makes another build live. */
export function switchTo(context: CliContext, to: string, options: FlowOptions): Promise<number> {
  return runFlow(
    context,
    {
      flow: switchIndexFlow,
      input: { to },
      question: null,
      print: ({ from, to: live, carried, removed }) => {
        const counts = `${carried} repositories carried over for the next sync, ${removed} removed`;
        context.stdout.write(`Live build: ${live} (was ${from ?? 'none'}); ${counts}.\n`);
        return 0;
      },
    },
    options,
  );
}

/** `longhaul index prune`: deletes unused builds. */
export function prune(context: CliContext, options: FlowOptions & { readonly previous?: boolean }): Promise<number> {
  return runFlow(
    context,
    {
      flow: pruneIndexFlow,
      input: { previous: options.previous === true },
      question: null,
      print: ({ dropped }) => {
        context.stdout.write(dropped.length === 0 ? 'No build to delete.\n' : `Deleted: ${dropped.join(', ')}.\n`);
        return 0;
      },
    },
    options,
  );
}

async function readQueries(file: string): Promise<readonly StoredQuery[]> {
  const [{ parse }, { z }, { queriesFile }, { check, describeIssue }] = await Promise.all([
    import('yaml'),
    import('zod'),
    import('../../../domain/catalog/flows/stored-queries.ts'),
    import('../../../domain/shared/check.schema.ts'),
  ]);
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8'), { maxAliasCount: 0 });
  } catch (error) {
    throw new LonghaulError('InvalidInput', `--queries ${file}: ${(error as Error).message}`, { cause: error });
  }
  const result = check(queriesFile(z), content);
  if (result.success) return result.data.queries as readonly StoredQuery[];
  throw new LonghaulError('InvalidInput', `--queries ${file}: ${describeIssue(result.error)}`);
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

/** The comparison with the new build, and the question. */
export function switchQuestion(progress: FlowProgress): string {
  if (!('comparison' in progress)) return '';
  const { comparison, repositories, failed, failures } = progress;
  const rows = comparison === null ? [['compared', 'nothing: no --queries']] : comparisonRows(comparison);
  return [
    ...[['repositories', `${repositories}, ${failed} failed`], ...rows].map(([name, value]) => `  ${name}: ${value}`),
    ...(comparison?.worst ?? []).map(
      ({ query, before, after }) => `  worse: ${query} (${before.toFixed(2)} to ${after.toFixed(2)})`,
    ),
    ...failures.map(({ repository, error }) => `  failed: ${repository}: ${error}`),
    SWITCH_QUESTION,
  ].join('\n');
}
