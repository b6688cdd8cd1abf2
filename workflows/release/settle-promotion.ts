import { ApplicationFailure, sleep } from '@temporalio/workflow';
import type { GateDecision, GateQuestion, GateVerdict } from '../../domain/gates/gate.ts';
import type { PromoteGenerationResult } from '../../domain/release/flows/promotion-flows.ts';
import type { RefusalFacts } from '../../domain/shared/acts.ts';
import { type Approval, approvalBy } from '../../domain/release/promotion/approval.ts';
import type { PromotionReport, ReleaseCommit, RequiredApprovals } from '../../domain/release/promotion/promotion.ts';
import type { ReleaseAsset } from '../../domain/release/promotion/publication.ts';
import { passGate } from '../shared/gate.ts';
import { evaluate, type Evaluated, type Promotion } from './evaluate-promotion.ts';

/** An evaluation with all that takes time: nothing waits any more. */
export interface Settled extends Evaluated {
  /** What approved the promotion; null when no people were asked. */
  readonly approval: Approval | null;
  /** The people who approved, as text. */
  readonly approvedBy: readonly string[];
  /** The people who approved the promotion during a freeze, as text. */
  readonly overriddenBy: readonly string[];
}

/** What a promotion begins to wait with. */
interface Settling {
  readonly first: Evaluated;
  /** The files of the release. */
  readonly assets: readonly ReleaseAsset[];
  readonly show: (line: string) => void;
}

/** A gate of people: whether the freeze may be overridden, or whether it is released. */
type PromotionGate = 'freeze' | 'promotion';

/** Waits until everything that takes time is there, and the gates are open then. */
export async function settle(
  given: Promotion,
  released: ReleaseCommit,
  { first, assets, show }: Settling,
): Promise<Settled> {
  const passed: { readonly kind: PromotionGate; readonly digest: string; readonly verdict: GateVerdict }[] = [];
  for (let now = first; ; now = await evaluate(given, released)) {
    const { report } = now;
    if (!report.isOpen) endRefused(given, report);
    if (report.soakUntil !== null) {
      show(`waits until ${report.soakUntil.slice(0, 16)}Z: time since the last proof`);
      await sleep(Math.max(1_000, Date.parse(report.soakUntil) - Date.now()), { summary: 'time since the last proof' });
      continue;
    }
    const verdictOf = (kind: PromotionGate): GateVerdict | null =>
      passed.find((each) => each.kind === kind && each.digest === report.digest)?.verdict ?? null;
    const { override, approvals } = report;
    const missing =
      override !== null && verdictOf('freeze') === null
        ? ({ kind: 'freeze', approvals: override.approvals } as const)
        : approvals !== null && verdictOf('promotion') === null
          ? ({ kind: 'promotion', approvals } as const)
          : null;
    if (missing === null) {
      const [overridden, approved] = [verdictOf('freeze'), approvals === null ? null : verdictOf('promotion')];
      return {
        ...now,
        approval: approved === null ? null : approvalBy(approved),
        approvedBy: approved?.decisions.map(describeDecision) ?? [],
        overriddenBy: overridden?.decisions.map(describeDecision) ?? [],
      };
    }
    show('waits for people: longhaul inbox');
    const { kind } = missing;
    const verdict = await passGate(questionOf(given, report, { ...missing, assets }));
    if (verdict.status === 'rejected') endRefused(given, report, [rejection(kind, verdict)]);
    passed.push({ kind, digest: report.digest, verdict });
  }
}

/** What people are asked. */
function questionOf(
  { repository, version, by, overrideFreeze }: Promotion,
  report: PromotionReport,
  {
    kind,
    approvals,
    assets,
  }: {
    readonly kind: PromotionGate;
    readonly approvals: RequiredApprovals;
    readonly assets: readonly ReleaseAsset[];
  },
): GateQuestion {
  const { needed, from, excludeAuthors, deadline, reminderSeconds, escalation } = approvals;
  return {
    kind,
    subject: `${version} of ${repository}${kind === 'freeze' ? ' during a freeze' : ''}`,
    repository,
    digest: report.digest,
    requestedBy: by,
    approvals: { needed, from, excludeAuthors },
    ...(deadline === null ? {} : { deadline }),
    ...(reminderSeconds === null ? {} : { reminderSeconds }),
    ...(escalation === null ? {} : { escalation }),
    evidence: [
      `commit ${report.commit}`,
      ...report.gates.map(({ gate, part }) => `${part ?? gate}: PASS`),
      ...assets.map(({ name, digest }) => `asset ${name}, SHA-256 ${digest}`),
      ...(report.override?.freezes ?? []),
      ...(overrideFreeze === '' ? [] : [`during a freeze, because: ${overrideFreeze}`]),
    ],
  };
}

function describeDecision({ person, onBehalfOf, why }: GateDecision): string {
  return `${person}${onBehalfOf === null ? '' : ` for ${onBehalfOf}`}: ${why}`;
}

function rejection(kind: PromotionGate, { reason, decisions }: GateVerdict): string {
  if (reason === 'deadline') return 'No decision was made until the deadline of the approval.';
  const what = kind === 'freeze' ? 'The promotion during a freeze' : 'The approval';
  return `${what} was rejected: ${decisions.map(describeDecision).join('; ')}.`;
}

/** Ends a promotion as refused. */
export function endRefused({ version }: Promotion, report: PromotionReport, why: readonly string[] = []): never {
  const reasons = [...report.gates.flatMap((gate) => gate.reasons), ...why];
  const facts: RefusalFacts = { reasons: reasons.slice(0, 100), commit: report.commit };
  const result: PromoteGenerationResult = { report, promoted: null, refused: reasons, published: [] };
  throw ApplicationFailure.create({
    type: 'PromotionRefused',
    message: `${version} is not promoted: ${reasons.join(' ')}`.slice(0, 1_000),
    nonRetryable: true,
    details: [result, facts],
  });
}
