/** What a flow does, as the audit trail names it when it is refused. */
interface Act {
  /** The event is `<event>.refused`. */
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
  createHotfix: { event: 'hotfix', resource: 'generation', action: 'create hotfix', named: ['base'] },
  renameGeneration: { event: 'generation', resource: 'generation', action: 'rename', named: ['version'] },
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

/** A flow that was refused, or failed. */
export interface RefusedAct extends Pick<Act, 'event' | 'resource' | 'action'> {
  readonly subject: string;
  /** As the input names it; null when it names none. */
  readonly repository: string | null;
  readonly by: string;
  /** Name of the failure. */
  readonly type: string;
  /** True when the rules did not allow it, false when something broke. */
  readonly isRefused: boolean;
  /** One sentence. */
  readonly message: string;
  readonly facts: RefusalFacts | null;
}

const LONGEST = 500;

/** What the audit trail says about a flow whose input may be anything. Throws a `TypeError` for an unknown flow. */
export function actOf(
  flow: string,
  input: unknown,
): Pick<RefusedAct, 'event' | 'resource' | 'action' | 'subject' | 'repository' | 'by'> {
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
