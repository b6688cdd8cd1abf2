import { readFileSync } from 'node:fs';
import type { StoredQuery } from '../../../domain/catalog/index/build.ts';
import { pruneIndexFlow, reembedIndexFlow, switchIndexFlow } from '../../../domain/catalog/flows/index-flows.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { modelName } from '../../../domain/shared/model.ts';
import type { CliContext } from '../../core/context.ts';
import { printList } from '../../core/print-list.ts';
import { type FlowOptions, runFlow } from '../flows/run-flow.ts';
import { printReembedded } from './results.ts';

/** `longhaul index builds`: the builds of the index, the live one first. */
export async function listBuilds(context: CliContext, options: { readonly json?: boolean }): Promise<number> {
  const { readBuilds } = await import('../../catalog/builds.ts');
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
  return runFlow(
    context,
    { flow: reembedIndexFlow, input, asks: !yes, print: (result) => printReembedded(context, result) },
    options,
  );
}

/** `longhaul index switch` and `rollback`: makes another build live. */
export function switchTo(context: CliContext, to: string, options: FlowOptions): Promise<number> {
  return runFlow(
    context,
    {
      flow: switchIndexFlow,
      input: { to },
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
