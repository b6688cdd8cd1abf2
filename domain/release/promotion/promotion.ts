import type { Approval } from './approval.ts';
import type { PackedCommit } from '../pipelines/job.ts';
import type { ReleaseAsset, WantedAssets } from './publication.ts';
import type { CommitFacts, GateResult, PromotionKind, TreeRun, Uncovered } from './gates.ts';

/** The commit that is to be released, and its contracts. */
export interface ReleaseCommit {
  readonly repository: string;
  /** `v1.5.0` */
  readonly version: string;
  readonly kind: PromotionKind;
  readonly packed: PackedCommit;
  /** Digest of the contracts as the commit has them. */
  readonly contracts: string;
  readonly by: string;
}

/** Asks what a promotion depends on. */
export interface PreparePromotion extends ReleaseCommit {
  /** True changes nothing in the ledger. */
  readonly isDryRun: boolean;
}

/** What a promotion needs to know about git and pipelines. */
export interface PreparedPromotion {
  /** The promotion at this very commit, after which something may be missing; null for a draft. */
  readonly promoted: PromotedBefore | null;
  /** True for the generation of a hotfix, however it is promoted. */
  readonly isHotfix: boolean;
  /** Digest of a list of the proven commits ({@link ProvenCommit}). */
  readonly proofs: string;
  /** The pipelines that proved its changes, as they have run on the tree of the commit. */
  readonly runs: readonly TreeRun[];
}

/** A proven commit of a generation. */
export interface ProvenCommit {
  readonly tag: string;
  readonly change: string;
  readonly commit: string;
}

/** Asks which proven commits are in a commit. */
export interface CoverCommits {
  readonly repository: string;
  readonly kind: PromotionKind;
  readonly packed: PackedCommit;
  /** {@link PreparedPromotion.proofs} */
  readonly proofs: string;
}

/** Which proven commits are not in the commit. */
export interface Coverage {
  /** The {@link PreparedPromotion.proofs} that were looked up. */
  readonly proofs: string;
  /** The branches of the remote that are released, when none of them has the commit; null otherwise, and for a hotfix. */
  readonly outside: readonly string[] | null;
  /**
   * Digest of the policy files at the head of the default branch, which hold in addition to those of the commit; null when
   * the head is this commit, or has none.
   */
  readonly policies: string | null;
  /** The first hundred. */
  readonly uncovered: readonly Uncovered[];
  /** E-mail addresses of the authors of the commits since the last release, in lower case, each once; null for too many. */
  readonly authors: readonly string[] | null;
  /** The released branch of the remote that has the commit; null for a hotfix, and when none has it. */
  readonly branch: string | null;
}

/** Asks for all gates of a promotion. */
export interface CheckPromotion extends ReleaseCommit {
  readonly coverage: Coverage;
  /** The reason that a person gave for promoting during a freeze; null for none. */
  readonly overrideFreeze: string | null;
}

/** All gates of a promotion, and what else it waits for. */
export interface PromotionReport {
  readonly version: string;
  readonly kind: PromotionKind;
  readonly commit: string;
  readonly gates: readonly GateResult[];
  readonly isOpen: boolean;
  /** The proofs that the gates were evaluated with. */
  readonly proofs: string;
  /** Pipelines that have passed on the tree of the commit. */
  readonly runs: CommitFacts['runs'];
  /** Until when the promotion must wait after the last proof, ISO 8601; null when it need not. */
  readonly soakUntil: string | null;
  readonly approvals: RequiredApprovals | null;
  /** The decision on a reason to promote during a freeze; null when none is needed, or no people are configured. */
  readonly override: FreezeOverride | null;
  /** Null when the policies ask for no files of the release. */
  readonly assets: WantedAssets | null;
  /** Digest of what is approved: repository, version, commit, contract and policies. */
  readonly digest: string;
}

/** People decide whether a reason is good enough to promote during a freeze. */
export interface FreezeOverride {
  /** A sentence for each freeze that is on. */
  readonly freezes: readonly string[];
  readonly approvals: RequiredApprovals;
}

/** The approvals that the policies of the repository ask for. */
export interface RequiredApprovals {
  readonly needed: number;
  readonly from: readonly string[];
  /** Addresses of the authors who may not approve; empty when the policy does not exclude them. */
  readonly excludeAuthors: readonly string[];
  /** What happens when the gate is still open after this time; null when it waits. */
  readonly deadline: { readonly seconds: number; readonly outcome: 'approved' | 'rejected' } | null;
  /** Null for no reminders. */
  readonly reminderSeconds: number | null;
  /** Who may decide in addition after a time; null for no other people. */
  readonly escalation: { readonly afterSeconds: number; readonly to: readonly string[] } | null;
}

/** What the object of a final tag follows from. */
export interface FinalTag {
  /** Full oid. */
  readonly commit: string;
  /** It has the place and the hash of the audit chain's end. */
  readonly message: string;
  /** When it was made, ISO 8601: the date of the tag. */
  readonly at: string;
}

/** Asks to promote a generation: the point of no return. */
export interface CommitPromotion extends CheckPromotion {
  /** Oid of the tag's object on the remote. */
  readonly object: string;
  /** Digest of the rows as they were before. */
  readonly before: string;
  /** The files of the release. */
  readonly assets: readonly ReleaseAsset[];
  /** What approved it; null when no people were asked. */
  readonly approval: Approval | null;
  /** The people who approved, as text. */
  readonly approvedBy: readonly string[];
  /** The people who approved the promotion during a freeze, as text. */
  readonly overriddenBy: readonly string[];
}

/** A generation that an earlier run has promoted. */
export interface PromotedBefore extends Promoted {
  /** Oid of its tag's object. */
  readonly object: string;
}

/** A promoted generation. */
export interface Promoted {
  /** ISO 8601. */
  readonly at: string;
  readonly changes: number;
  /** Id of the audit event; 0 when an earlier run has promoted it. */
  readonly event: number;
}
