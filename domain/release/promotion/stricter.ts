import type { PolicyFile } from '../contracts/policy.schema.ts';

type Promotion = PolicyFile['promotion'];
type Approvals = NonNullable<Promotion['approvals']>;

/**
 * The rules of a released commit together with those of the default branch: the stricter of the two holds. The commit is
 * chosen by the person who releases, so it alone must not decide which rules hold.
 */
export function stricterPolicy(own: PolicyFile, ofBranch: PolicyFile): PolicyFile {
  return {
    ...own,
    policies: distinct([...own.policies, ...ofBranch.policies]),
    promotion: stricterPromotion(own.promotion, ofBranch.promotion),
  };
}

function stricterPromotion(own: Promotion, ofBranch: Promotion): Promotion {
  const soak = Math.max(own.soak ?? 0, ofBranch.soak ?? 0);
  const approvals = stricterApprovals(own.approvals, ofBranch.approvals);
  return {
    ...(soak === 0 ? {} : { soak }),
    freeze: distinct([...own.freeze, ...ofBranch.freeze]),
    ...(approvals === undefined ? {} : { approvals }),
    // files are no rule
    assets: own.assets,
  };
}

/** Who may approve is what the default branch says: names cannot be compared, since a group may have any members. */
function stricterApprovals(own: Approvals | undefined, ofBranch: Approvals | undefined): Approvals | undefined {
  if (own === undefined || ofBranch === undefined) return ofBranch ?? own;
  const { deadline: _deadline, at_deadline: _outcome, ...rest } = ofBranch;
  return {
    ...rest,
    needed: Math.max(own.needed, ofBranch.needed),
    exclude_authors: own.exclude_authors || ofBranch.exclude_authors,
    ...stricterDeadline(own, ofBranch),
  };
}

/** A rejection before an approval, and the earlier rejection or the later approval. */
function stricterDeadline(own: Approvals, ofBranch: Approvals): Pick<Approvals, 'deadline' | 'at_deadline'> {
  const both = [own, ofBranch];
  if (both.every(({ deadline, at_deadline: outcome }) => deadline !== undefined && outcome === 'approve')) {
    return { deadline: Math.max(...both.map(({ deadline = 0 }) => deadline)), at_deadline: 'approve' };
  }
  const rejections = both.flatMap(({ deadline, at_deadline: outcome }) =>
    deadline !== undefined && outcome === 'reject' ? [deadline] : [],
  );
  return { ...(rejections.length === 0 ? {} : { deadline: Math.min(...rejections) }), at_deadline: 'reject' };
}

function distinct<Value>(values: readonly Value[]): Value[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}
