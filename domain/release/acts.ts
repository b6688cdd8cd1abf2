/** What a flow does, as the audit trail names it when it is not done. */
interface Act {
  /** The event is `<event>.refused`, `<event>.cancelled` or `<event>.given_up`. */
  readonly event: string;
  readonly resource: string;
  readonly action: string;
  /** The fields of the input that name the resource. */
  readonly named: readonly string[];
}

const ACTS: Readonly<Record<string, Act>> = {
  runPipeline: { event: 'pipeline', resource: 'pipeline', action: 'run', named: ['pipeline'] },
  startEvolution: { event: 'evolution', resource: 'evolution', action: 'start', named: ['version', 'change'] },
  proveChange: { event: 'evolution', resource: 'pipeline', action: 'prove', named: ['pipeline'] },
  proveOnPush: { event: 'evolution', resource: 'commit', action: 'prove on push', named: ['commit'] },
  abandonEvolution: { event: 'evolution', resource: 'evolution', action: 'abandon', named: ['evolution'] },
  promoteGeneration: { event: 'generation', resource: 'generation', action: 'promote', named: ['version'] },
  // a part of promoteGeneration
  publishPromotion: { event: 'publication', resource: 'generation', action: 'publish', named: ['version'] },
  announcePromotion: { event: 'publication', resource: 'generation', action: 'announce', named: ['version'] },
  createHotfix: { event: 'hotfix', resource: 'generation', action: 'create hotfix', named: ['base'] },
  releaseHotfix: {
    event: 'hotfix',
    resource: 'generation',
    action: 'release hotfix',
    named: ['version', 'base', 'issue'],
  },
  renameGeneration: { event: 'generation', resource: 'generation', action: 'rename', named: ['version'] },
  deployRelease: { event: 'deployment', resource: 'environment', action: 'deploy', named: ['environment', 'version'] },
  changeEnvironment: {
    event: 'deployment',
    resource: 'environment',
    action: 'deploy',
    named: ['environment', 'version'],
  },
  answerAlerts: { event: 'alert', resource: 'environment', action: 'answer', named: ['environment'] },
  runTrain: { event: 'train', resource: 'train', action: 'depart', named: ['repository'] },
  scheduleTrain: { event: 'train', resource: 'train', action: 'schedule', named: ['repository'] },
  recoverGeneration: { event: 'generation', resource: 'generation', action: 'recover', named: ['version'] },
  withdrawGeneration: { event: 'generation', resource: 'generation', action: 'withdraw', named: ['version'] },
};

/** Facts of a refusal that a flow gives with its failure, for the audit trail. */
export interface RefusalFacts {
  /** Sentences. */
  readonly reasons: readonly string[];
  /** Full oid. */
  readonly commit?: string;
  /** Its name. */
  readonly pipeline?: string;
  /** SHA-256 of the contract that applied. */
  readonly contract?: string;
}

/** What a flow was to do, by its input. */
export interface AskedAct extends Pick<Act, 'event' | 'resource' | 'action'> {
  readonly subject: string;
  /** As the input names it; null when it names none. */
  readonly repository: string | null;
  readonly by: string;
}

/** A flow that was refused, failed, or was cancelled. */
export interface RefusedAct extends AskedAct {
  /** Name of the failure; `Cancelled` for a flow that was cancelled. */
  readonly type: string;
  /** True when the rules did not allow it, false when something broke. */
  readonly isRefused: boolean;
  /** One sentence. */
  readonly message: string;
  readonly facts: RefusalFacts | null;
}

/** A flow that a person ended although not everything was undone. */
export interface GivenUpAct extends AskedAct {
  /** Who gave up: a name that proves nothing. */
  readonly givenUpBy: string;
  /** The reason of the person; null for none. */
  readonly why: string | null;
  /** What is left, a sentence each. */
  readonly left: readonly string[];
}

const LONGEST = 500;

/** What the audit trail says about a flow whose input may be anything. Throws a `TypeError` for an unknown flow. */
export function actOf(flow: string, input: unknown): AskedAct {
  const act = ACTS[flow];
  if (act === undefined) throw new TypeError(`${flow} is no flow of the release train`);
  const { named, ...rest } = act;
  const field = (name: string): string | null => {
    const value = (input as Readonly<Record<string, unknown>> | null)?.[name];
    return typeof value === 'string' && value !== '' ? value.slice(0, LONGEST) : null;
  };
  return {
    ...rest,
    subject:
      named
        .map(field)
        .filter((text) => text !== null)
        .join(' ') || 'unknown',
    repository: field('repository'),
    by: field('by') ?? 'unknown',
  };
}
