import { inc, parse } from 'semver';
import { describeStayed, shortId } from '../deployment/describe.ts';
import type { ReleaseHotfixResult } from '../flows/hotfix-release-flow.ts';

/** The next patch version of `base` that none of the known versions is: `v2.3.1` for `v2.3.0`. */
export function nextPatch(base: string, known: readonly string[]): string {
  const taken = new Set(known);
  for (let version = base; ;) {
    version = `v${inc(version, 'patch') ?? ''}`;
    if (!taken.has(version)) return version;
  }
}

/** The part of a version that its hotfixes share: `v2.3.` */
export function patchPrefix(version: string): string {
  const { major = 0, minor = 0 } = parse(version) ?? {};
  return `v${major}.${minor}.`;
}

/** What `longhaul hotfix create` prints. */
export function describeHotfix({
  base,
  version,
  generation,
  issue,
}: {
  readonly base: string;
  readonly version: string;
  readonly generation: string;
  readonly issue: string;
}): string {
  return [
    `Creating hot-fix for ${base}...`,
    `Hot-fix generation created: ${version}`,
    `  Generation ID: ${generation}`,
    `  Issue: ${issue}`,
    '',
    'Next steps:',
    `  1. longhaul evolution start ${version} --change ${issue}`,
    '  2. Run your pipeline to test the fix',
    `  3. longhaul hotfix promote ${version}`,
  ].join('\n');
}

/** What is said about a hotfix that is promoted, and whether it is deployed; the command that continues is the last line. */
export function describeHotfixRelease({
  base,
  version,
  issue,
  environment,
  reason,
  commit,
  deployment,
  problem,
}: ReleaseHotfixResult): string {
  return [
    `Hot-fix ${version} of ${base} for ${issue} is promoted at ${commit.slice(0, 12)}.`,
    ...(deployment === null
      ? [
          `It is not in ${environment}, which has what it had before: ${problem ?? 'unknown'}`,
          `${version} stays promoted. When the cause is corrected: longhaul deploy ${version} --env ${environment} --reason ${inShell(reason)}`,
        ]
      : [
          `${describeStayed({ version, environment, samples: deployment.samples })} (longhaul deployments show ${shortId(deployment.id)}).`,
        ]),
  ].join('\n');
}

/** A text as one word of a shell. */
function inShell(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
