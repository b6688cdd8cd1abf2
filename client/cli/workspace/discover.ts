import { createGit } from '../../../activities/git/git.ts';
import type { ForgeAnswers } from '../../../activities/workspace/ask-forges.ts';
import { askRegistries, type RegistryAnswers } from '../../../activities/workspace/registries/ask-registries.ts';
import { readWorkspace } from '../../../activities/workspace/read-workspace.ts';
import { identifySnapshot } from '../../../activities/workspace/workspace-ids.ts';
import type { OpenWork } from '../../../domain/forge/open-work.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { withOpenWork } from '../../../domain/workspace/forge-state.ts';
import { estateOf, estateFacts } from '../../../domain/workspace/intent/estate.ts';
import { readIntent } from '../../../domain/workspace/intent/intent.schema.ts';
import { EMPTY_INTENT, type ResolvedIntent } from '../../../domain/workspace/intent/intent.ts';
import { requirementsOf, type WorkspaceRequirements } from '../../../domain/workspace/intent/requirements.ts';
import { resolveIntent } from '../../../domain/workspace/intent/resolve-intent.ts';
import { registriesOf, withRegistries } from '../../../domain/workspace/registry-package.ts';
import { writeWhole } from '../../../platform/whole-file.ts';
import type { CliContext } from '../../core/context.ts';
import { askConfiguredForges } from './configured-forges.ts';
import { readJsonFile } from './read-json-file.ts';
import { printable } from '../../core/sanitize.ts';

/** Options of `longhaul workspace discover`. */
export interface DiscoverOptions {
  readonly root: string;
  /** A file with an intent. @default none */
  readonly intent?: string;
  /** Ask the registries for the packages. @default false */
  readonly registries?: boolean;
  /** Ask the forges for open issues and pull requests. @default false */
  readonly issues?: boolean;
  /** The file that gets the snapshot with what registries and forges say. @default none */
  readonly snapshot?: string;
  /** @default false */
  readonly ephemeral?: boolean;
  /** @default as long as it is needed */
  readonly ttl?: string;
  /** Print one JSON value. @default false */
  readonly json?: boolean;
}

/**
 * `longhaul workspace discover`: what an intent means in this workspace, and what registries and forges say about it.
 * Changes nothing but the file that `--snapshot` names. A source that cannot be read is named, and is no failure.
 */
export async function discoverCommand(
  context: CliContext,
  words: readonly string[],
  options: DiscoverOptions,
): Promise<number> {
  const { stdout, cacheDir, env } = context;
  const sentence = words.length === 0 ? null : words.join(' ');
  const isAsking = sentence !== null || options.intent !== undefined;
  if (!isAsking && !options.registries && !options.issues && options.snapshot === undefined) {
    throw new LonghaulError('InvalidInput', 'Say what you want to work on, or name a file with an intent (--intent).');
  }
  const intent =
    options.intent === undefined
      ? EMPTY_INTENT
      : readIntent(await readJsonFile(options.intent, 'an intent'), options.intent);
  const { snapshot } = await readWorkspace(options.root, { git: createGit(cacheDir, env), env });
  const [registries, forges] = await Promise.all([
    options.registries ? askRegistries(snapshot, { env, cacheDir }) : null,
    options.issues ? askConfiguredForges(context, snapshot) : null,
  ]);
  if (options.snapshot !== undefined) {
    const known = registries === null ? snapshot : withRegistries(snapshot, registries.states);
    const enriched = identifySnapshot(forges === null ? known : withOpenWork(known, forges.work));
    await writeWhole(options.snapshot, `${JSON.stringify(enriched, null, 2)}\n`);
  }
  const estate = estateOf(snapshot, forges === null ? {} : estateFacts(forges.work));
  const resolved = isAsking ? resolveIntent(sentence, intent, estate) : null;
  const requirements = resolved === null ? null : requirementsOf(resolved, estate, options);
  if (options.json) {
    const { github, prs } = forges === null ? { github: null, prs: null } : withOpenWork(snapshot, forges.work);
    const found = {
      github,
      prs,
      hex: registries?.states.hex ?? null,
      registries: registries === null ? null : registriesOf(registries.states),
      sources: [...(forges?.sources ?? []), ...(registries?.sources ?? [])],
    };
    stdout.write(`${JSON.stringify({ ...resolved, requirements, ...found }, null, 2)}\n`);
    return 0;
  }
  const lines = [
    ...(resolved === null || requirements === null ? [] : described(resolved, requirements)),
    ...(forges === null ? [] : describedWork(forges)),
    ...(registries === null ? [] : describedAnswers(registries)),
  ];
  for (const line of lines) stdout.write(`${printable(line)}\n`);
  return 0;
}

function count(items: OpenWork['items'], kind: string): number {
  return items.filter((item) => item.kind === kind).length;
}

/** One line for each repository with what is open in it, and for each that was skipped. */
function describedWork({ work, sources }: ForgeAnswers): string[] {
  return [
    ...[...work].map(
      ([name, { items }]) =>
        `${name}: ${count(items, 'issue')} open issues, ${count(items, 'pull')} open pull requests`,
    ),
    ...sources.flatMap(({ problem }) => problem ?? []),
  ];
}

/** One line for each registry, and for each package that should not be used as it is. */
function describedAnswers({ states, sources }: RegistryAnswers): string[] {
  return [
    ...sources.map(
      ({ source, asked, found, problem }) => problem ?? `${source}: ${found} of ${asked} packages are published`,
    ),
    ...Object.entries(states).flatMap(([registry, state]) =>
      (state?.packages ?? []).flatMap(({ name, deprecated, latest }) =>
        deprecated === null ? [] : [`${registry}: ${name} ${latest ?? ''} is deprecated: ${deprecated}`],
      ),
    ),
  ];
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
