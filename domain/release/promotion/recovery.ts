/** What is known before an environment is taken back from a bad release. */
export interface RecoveryFacts {
  /** False for a generation that was withdrawn before. */
  readonly isPromoted: boolean;
  /** The released commit; null for a withdrawn generation. */
  readonly commit: string | null;
  /** The release that the environment has; null for none. */
  readonly present: string | null;
  /** The release that it had before the bad one; null when it had none, or does not have the bad one. */
  readonly before: string | null;
  /** SHA-256 of what people decide about. */
  readonly digest: string;
}

/** What was done after a bad promotion. */
export interface Recovery {
  readonly version: string;
  readonly environment: string;
  /** How the environment went back; null when it did not have the release. */
  readonly back: { readonly to: string; readonly deployment: string } | null;
  /** The release that the environment has; null for none. */
  readonly present: string | null;
  readonly decision: 'withdrawn' | 'withdrawn before' | 'kept';
  /** The people who decided, with what they said; empty when the person who started it did. */
  readonly decidedBy: readonly string[];
  /** What became of the tag of a withdrawn generation; null for one that was not withdrawn now. */
  readonly tag: 'kept' | 'removed' | 'absent' | 'differs' | null;
  /** Workflow id of the hotfix that was started; null when it is only offered. */
  readonly hotfix: string | null;
}

/** What becomes of a tag, for people. */
export const TAG_SENTENCES: Readonly<Record<NonNullable<Recovery['tag']>, string>> = {
  kept: 'Its tag stays on the remote.',
  removed: 'Its tag was removed from the remote.',
  absent: 'The remote had no such tag.',
  differs: 'The remote has another tag of this name, which stays.',
};

/** Where an environment stands, in one sentence. */
export function describeBack({
  version,
  environment,
  back,
  present,
}: Pick<Recovery, 'version' | 'environment' | 'back' | 'present'>): string {
  if (back !== null) {
    return `${environment} is back at ${back.to}, healthy (longhaul deployments show ${back.deployment}).`;
  }
  if (present === version) return `${environment} still has ${version}.`;
  return present === null
    ? `${environment} has no release of this repository.`
    : `${environment} does not have ${version}: it has ${present}.`;
}

/** A recovery as people read it; the last line is what comes next. */
export function describeRecovery(recovery: Recovery): string {
  const { version, environment, present, decision, decidedBy, tag, hotfix } = recovery;
  const decided = {
    withdrawn: `Generation ${version} withdrawn: it is a draft again.${tag === null ? '' : ` ${TAG_SENTENCES[tag]}`}`,
    'withdrawn before': `Generation ${version} was withdrawn before.`,
    kept: `Generation ${version} stays promoted.`,
  }[decision];
  const next =
    present === version
      ? `longhaul rollback --env ${environment}`
      : `longhaul hotfix create ${present} --issue … --title … --deploy ${environment} --reason …`;
  return [
    describeBack(recovery),
    decided,
    ...decidedBy.map((person) => `  ${person}`),
    ...(hotfix === null ? [] : [`The hot-fix of ${present} is on its way: longhaul watch ${hotfix}`]),
    ...(hotfix !== null || present === null ? [] : [`Next: ${next}`]),
  ].join('\n');
}
