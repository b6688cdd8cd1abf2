/** What a gate is about, and who may decide it by which rules: what a flow asks with `passGate`. */
export interface GateQuestion {
  /** What is asked, in a word that a flow uses for one question only: `promotion`. */
  readonly kind: string;
  /** What it is about, for people: `v1.5.0 of work/acme/api`. */
  readonly subject: string;
  /** @default null, for a flow that belongs to no repository */
  readonly repository?: string | null;
  /** SHA-256 of everything that is approved: contract, commit, plan. Approvals of another one do not count. */
  readonly digest: string;
  /** Who asks, as the flow says: never an approver of this gate. */
  readonly requestedBy: string;
  /**
   * What asks. `person`: where people are configured, only a flow that a person started at the gateway may ask, and that
   * person is who asks, whatever `requestedBy` says. `service`: also a flow that a service started there, such as an
   * Alertmanager. `program`: a flow that nothing outside starts. @default 'person'
   */
  readonly requester?: 'person' | 'service' | 'program';
  readonly approvals: {
    /** How many different people must approve. */
    readonly needed: number;
    /** Names of people and groups. Empty: everyone. */
    readonly from: readonly string[];
    /** Addresses or names of people who may not approve in addition to the requester: authors of the commit. */
    readonly excludeAuthors?: readonly string[];
  };
  /** How the gate is decided when it is still open after this many seconds. @default it waits */
  readonly deadline?: { readonly seconds: number; readonly outcome: 'approved' | 'rejected' };
  /** After this many seconds, further people and groups may decide. @default never */
  readonly escalation?: { readonly afterSeconds: number; readonly to: readonly string[] };
  /** Seconds until the first reminder; each further one takes twice as long, at most a week. @default none */
  readonly reminderSeconds?: number;
  /** Facts for the decision, one per line. */
  readonly evidence?: readonly string[];
}

/** What a person decides. `revoke` takes an approval back. */
export type GateAnswer = 'approve' | 'reject' | 'revoke';

/** A decision of a person. */
export interface GateDecision {
  readonly person: string;
  /** The person whose place is taken, by a delegation; null for the person's own. */
  readonly onBehalfOf: string | null;
  readonly verdict: GateAnswer;
  readonly why: string;
  /** Digest of what the person saw. */
  readonly digest: string;
  /** `api-key`, `oidc` or `unauthenticated`. */
  readonly authenticatedBy: string;
  /** ISO 8601. */
  readonly at: string;
}

/** What decided a gate. */
export type GateReason = 'quorum' | 'rejection' | 'deadline' | 'cancelled' | 'superseded';

/** The answer to a {@link GateQuestion}. */
export interface GateVerdict {
  /** Id of the gate. */
  readonly gate: string;
  readonly status: 'approved' | 'rejected';
  readonly reason: GateReason;
  /** Those that counted. */
  readonly decisions: readonly GateDecision[];
  /** False where no people are configured: then any answer counts, and nothing shows who gave it. */
  readonly authenticated: boolean;
}

/** A gate as the rules see it. Times are milliseconds since 1970. */
export interface GateRules {
  readonly digest: string;
  readonly needed: number;
  /** Names of all configured people: decisions of others do not count, in whatever place they were made. */
  readonly people: readonly string[];
  /** Names of the people who may decide; null where no people are configured: anyone may, and one answer is enough. */
  readonly approvers: readonly string[] | null;
  /** Names of the people who may decide from `escalatesAt` on. */
  readonly laterApprovers: readonly string[];
  readonly escalatesAt: number | null;
  /** Names of the people who may not decide, whatever else they are: who asked, and authors. */
  readonly excluded: readonly string[];
  readonly deadline: { readonly at: number; readonly outcome: 'approved' | 'rejected' } | null;
}

/** A gate as people see it. Times are ISO 8601. */
export interface GateView {
  readonly id: string;
  readonly kind: string;
  readonly subject: string;
  readonly repository: string | null;
  /** The flow that waits. */
  readonly workflowId: string;
  readonly digest: string;
  readonly requestedBy: string;
  readonly requestedAt: string;
  readonly deadline: string | null;
  readonly atDeadline: 'approved' | 'rejected' | null;
  readonly escalatesAt: string | null;
  readonly needed: number;
  /** Approvals that count now. */
  readonly have: number;
  /** Names of people and groups, as the flow asked; empty for everyone. */
  readonly from: readonly string[];
  /** Those who may decide after `escalatesAt`. */
  readonly escalatesTo: readonly string[];
  readonly evidence: readonly string[];
  readonly status: 'open' | 'approved' | 'rejected' | 'cancelled';
  readonly reason: GateReason | null;
  readonly closedAt: string | null;
  /** In the order in which they were made, including those that do not count. */
  readonly decisions: readonly GateDecision[];
  /** False where no people are configured. */
  readonly authenticated: boolean;
}

/** The signal that wakes the flow of a gate, so that it reads the decisions. It says nothing itself. */
export function wakeSignal(gate: string): string {
  return `decided ${gate}`;
}
