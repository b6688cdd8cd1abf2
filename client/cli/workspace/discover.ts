import { readFile } from 'node:fs/promises';
import { createGit } from '../../../activities/git/git.ts';
import { readWorkspace } from '../../../activities/workspace/read-workspace.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { estateOf } from '../../../domain/workspace/intent/estate.ts';
import { readIntent } from '../../../domain/workspace/intent/intent.schema.ts';
import { EMPTY_INTENT, type Intent, type ResolvedIntent } from '../../../domain/workspace/intent/intent.ts';
import { requirementsOf, type WorkspaceRequirements } from '../../../domain/workspace/intent/requirements.ts';
import { resolveIntent } from '../../../domain/workspace/intent/resolve-intent.ts';
import { messageOf } from '../../../platform/error-code.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';

/** Options of `longhaul workspace discover`. */
export interface DiscoverOptions {
  readonly root: string;
  /** A file with an intent. @default none */
  readonly intent?: string;
  /** @default false */
  readonly ephemeral?: boolean;
  /** @default as long as it is needed */
  readonly ttl?: string;
  /** Print one JSON value. @default false */
  readonly json?: boolean;
}

/** `longhaul workspace discover`: what an intent means in this workspace. Changes nothing. */
export async function discoverCommand(
  context: CliContext,
  words: readonly string[],
  options: DiscoverOptions,
): Promise<number> {
  const { stdout, cacheDir, env } = context;
  const sentence = words.length === 0 ? null : words.join(' ');
  if (sentence === null && options.intent === undefined) {
    throw new LonghaulError('InvalidInput', 'Say what you want to work on, or name a file with an intent (--intent).');
  }
  const intent = options.intent === undefined ? EMPTY_INTENT : await intentIn(options.intent);
  const { snapshot } = await readWorkspace(options.root, { git: createGit(cacheDir, env), env });
  const estate = estateOf(snapshot);
  const resolved = resolveIntent(sentence, intent, estate);
  const requirements = requirementsOf(resolved, estate, options);
  if (options.json) stdout.write(`${JSON.stringify({ ...resolved, requirements }, null, 2)}\n`);
  else for (const line of described(resolved, requirements)) stdout.write(`${printable(line)}\n`);
  return 0;
}

async function intentIn(file: string): Promise<Intent> {
  try {
    return readIntent(JSON.parse(await readFile(file, 'utf8')), file);
  } catch (error) {
    if (error instanceof LonghaulError) throw error;
    throw new LonghaulError('InvalidInput', `${file} cannot be read as an intent: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

function described(
  { intent, repos, issues, labels, skills_needed: skills, effort, open_questions: questions }: ResolvedIntent,
  { links, scope, ttl, ephemeral }: WorkspaceRequirements,
): string[] {
  const { constraints, preferences } = intent;
  const facts: readonly (readonly [string, string | null])[] = [
    ['issues', issues.map(({ repository, number }) => `${repository}#${number}`).join(', ')],
    ['labels', labels.join(', ')],
    ['kind', preferences.bug_vs_feature],
    ['tests', preferences.needs_tests === null ? null : preferences.needs_tests ? 'needed' : 'not needed'],
    ['difficulty', constraints.max_difficulty === null ? null : `${constraints.max_difficulty} at most`],
    ['time', constraints.time_available],
    ['capabilities', intent.capabilities.join(', ')],
    ['skills', skills.join(', ')],
    ['effort', `${effort.size}: ${effort.why}`],
    ['scope', `${scope.kind === 'single' ? 'one repository' : 'several repositories'}: ${scope.why}`],
    ['links', links.map(({ from, to }) => `${from} to ${to}`).join(', ')],
    [
      'lives',
      ephemeral || ttl !== null
        ? `${ephemeral ? 'until the task is done' : ''}${ttl ? ` for ${ttl}` : ''}`.trim()
        : null,
    ],
  ];
  return [
    repos.length === 0 ? 'No repository was chosen.' : 'Repositories:',
    ...repos.map(({ name, reasons }) => `  ${name}: ${reasons.join('; ')}`),
    ...facts.flatMap(([name, value]) => (value === null || value === '' ? [] : [`${name}: ${value}`])),
    ...questions.map((question) => `open: ${question}`),
  ];
}
