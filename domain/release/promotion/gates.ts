/** How a generation is promoted: with all gates, or as a hotfix with the least. */
export type PromotionKind = 'standard' | 'hotfix';

/** A gate of a promotion, and why it does not let it pass. */
export interface GateResult {
  readonly gate: GateName;
  /** The part of the gate, for a gate that is shown in parts. */
  readonly part?: string;
  /** One sentence each; empty when the gate lets the promotion pass. */
  readonly reasons: readonly string[];
}

/** The gates, in the order in which they are shown. */
export const GATES = [
  'AllChangesProvenGate',
  'NoFailedEvolutionsGate',
  'MinEvolutionsGate',
  'HotfixGate',
  'ProofCoversCommitGate',
  'FreezeGate',
] as const;

/** The name of a gate. */
export type GateName = (typeof GATES)[number];

/** An evolution, as the gates look at it. */
export interface JudgedAttempt {
  readonly tag: string;
  readonly change: string;
  readonly status: string;
  /** The later evolution that makes its failure count no more; null when none does. */
  readonly supersededBy: string | null;
  /** False for one that was imported: it passed, but there is no proof. */
  readonly hasProof: boolean;
}

/** What the ledger knows about a generation. */
export interface LedgerFacts {
  readonly changes: readonly string[];
  readonly evolutions: readonly JudgedAttempt[];
  /** What the policies ask for. */
  readonly minEvolutions: readonly MinEvolutions[];
}

/** The fewest evolutions that a policy asks for. */
export interface MinEvolutions {
  readonly policy: string;
  readonly least: number;
  /** The changes whose evolutions count; null for those of all changes. */
  readonly changes: readonly string[] | null;
}

/** A pipeline that must pass on the tree that is released. */
export interface TreeRun {
  readonly pipeline: string;
  /** False when the commit does not have this pipeline. */
  readonly exists: boolean;
  /** The run that passed there; null when none has. */
  readonly run: string | null;
  /** Why it proves nothing; empty when it passed, or has not run. */
  readonly reasons: readonly string[];
}

/** What git and the pipelines say about the commit that is released. */
export interface CommitFacts {
  readonly commit: string;
  /** The branches of the remote that are released, when none of them has it; null otherwise. */
  readonly outside: readonly string[] | null;
  /** Proven commits that are not in it. */
  readonly uncovered: readonly Uncovered[];
  readonly runs: readonly TreeRun[];
}

/** A proven commit that is not in the one that is released. */
export interface Uncovered {
  readonly tag: string;
  readonly change: string;
  readonly commit: string;
  /** As the rest of a sentence: `is not an ancestor of it, nor is its patch there`. */
  readonly why: string;
}

/** The pipelines that must be run before the gates can be open: nothing else keeps them closed. */
export function runsNeeded(
  gates: readonly GateResult[],
  { outside, uncovered, runs }: Omit<CommitFacts, 'commit'>,
): readonly string[] {
  const isElse = gates.some(({ gate, reasons }) => gate !== 'ProofCoversCommitGate' && reasons.length > 0);
  if (isElse || outside !== null || uncovered.length > 0 || runs.some(({ exists }) => !exists)) return [];
  return runs.filter(({ run }) => run === null).map(({ pipeline }) => pipeline);
}

/** An open freeze window. */
export interface OpenFreeze {
  readonly name: string;
  /** ISO 8601. */
  readonly until: string;
}

/** The last evolution of each change that passed with a proof, by change. */
export function proofs(evolutions: readonly JudgedAttempt[]): ReadonlyMap<string, JudgedAttempt> {
  return new Map(
    evolutions.filter(({ status, hasProof }) => status === 'pass' && hasProof).map((each) => [each.change, each]),
  );
}

/** The gates that the ledger alone decides. They are evaluated once more in the transaction that promotes. */
export function ledgerGates(kind: PromotionKind, facts: LedgerFacts): readonly GateResult[] {
  if (kind === 'hotfix') {
    return [
      { gate: 'HotfixGate', part: 'At least one passing evolution', reasons: unproven(facts) },
      { gate: 'HotfixGate', part: 'No pending evolutions', reasons: pending(facts) },
    ];
  }
  return [
    { gate: 'AllChangesProvenGate', reasons: unproven(facts) },
    { gate: 'NoFailedEvolutionsGate', reasons: failures(facts) },
    { gate: 'MinEvolutionsGate', reasons: tooFew(facts) },
  ];
}

/** The gate on the commit: a released branch has it, what was proven is in it, and what is in it was proven together. */
export function commitGate({ commit, outside, uncovered, runs }: CommitFacts): GateResult {
  const at = commit.slice(0, 12);
  return {
    gate: 'ProofCoversCommitGate',
    reasons: [
      ...(outside === null
        ? []
        : [`${at} is in no branch that is released on the remote (${outside.join(', ')}): merge it into one of them.`]),
      ...uncovered.map(
        ({ tag, change, commit: proven, why }) =>
          `${change} was proven by ${tag} at ${proven.slice(0, 12)}, which ${why}: merge it, or prove ${change} at ${at}.`,
      ),
      ...runs.flatMap(({ pipeline, run, reasons }) => {
        if (run !== null) return [];
        if (reasons.length === 0) return [`${pipeline} has not passed on the tree of ${at}.`];
        return reasons.map((why) => `${pipeline} on the tree of ${at}: ${why}`);
      }),
    ],
  };
}

/** The gate on the calendar. `override` is the reason that a person gave for promoting all the same. */
export function freezeGate(open: readonly OpenFreeze[], override: string | null): GateResult {
  const reasons = open.map(({ name, until }) => `The freeze "${name}" lasts until ${until.slice(0, 16)}Z.`);
  return { gate: 'FreezeGate', reasons: override === null ? reasons : [] };
}

/** True when all gates let the promotion pass. */
export function areOpen(gates: readonly GateResult[]): boolean {
  return gates.every(({ reasons }) => reasons.length === 0);
}

function unproven({ changes, evolutions }: LedgerFacts): string[] {
  const proven = proofs(evolutions);
  return changes
    .filter((change) => !proven.has(change))
    .map((change) => {
      const isImported = evolutions.some((each) => each.change === change && each.status === 'pass');
      if (isImported) return `${change} passed in an imported ledger, which has no proof: prove it again.`;
      return `${change} is not proven.`;
    });
}

function failures({ evolutions }: LedgerFacts): string[] {
  return evolutions
    .filter(({ status, supersededBy }) => status === 'fail' && supersededBy === null)
    .map(({ tag, change }) => `${tag} (${change}) failed, and no later evolution supersedes it.`);
}

function pending({ evolutions }: LedgerFacts): string[] {
  return evolutions
    .filter(({ status }) => status === 'pending' || status === 'running')
    .map(({ tag, change }) => `${tag} (${change}) is pending: prove or abandon it.`);
}

function tooFew({ evolutions, minEvolutions }: LedgerFacts): string[] {
  const passed = evolutions.filter(({ status, hasProof }) => status === 'pass' && hasProof);
  return minEvolutions.flatMap(({ policy, least, changes }) => {
    const count = changes === null ? passed.length : passed.filter(({ change }) => changes.includes(change)).length;
    if (count >= least) return [];
    if (changes === null) return [`${count} of at least ${least} evolutions passed.`];
    return [`${count} of at least ${least} evolutions passed of the changes of the policy "${policy}".`];
  });
}
