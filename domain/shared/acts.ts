/** What a flow or a part of it does, as the audit trail names it when it is not done. */
export interface Act {
  /** The event is `<event>.refused`, `<event>.cancelled` or `<event>.given_up`. */
  readonly event: string;
  readonly resource: string;
  readonly action: string;
  /** The fields of the input that name the resource. */
  readonly named: readonly string[];
  /** The resource by the texts of these fields, when the input has all of them. @default the texts, joined by spaces */
  readonly subject?: (...texts: readonly string[]) => string;
}

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

/** A flow, or a part of one, that is recorded in the audit trail. */
export interface Acting {
  /** Its workflow type, or the name of the part. */
  readonly type: string;
  readonly act: Act | null;
}

/** What the audit trail says about a flow whose input may be anything. Throws a `TypeError` for a flow without an act. */
export function actOf({ type, act }: Acting, input: unknown): AskedAct {
  if (act === null) throw new TypeError(`the declaration of ${type} has no act`);
  const { named, subject = (...texts) => texts.join(' '), ...rest } = act;
  const field = (name: string): string | null => {
    const value = (input as Readonly<Record<string, unknown>> | null)?.[name];
    return typeof value === 'string' && value !== '' ? value.slice(0, LONGEST) : null;
  };
  const texts = named.map(field).filter((text) => text !== null);
  return {
    ...rest,
    subject: (texts.length === named.length ? subject(...texts) : texts.join(' ')) || 'unknown',
    repository: field('repository'),
    by: field('by') ?? 'unknown',
  };
}
