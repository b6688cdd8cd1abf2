import { ApplicationFailure, sleep } from '@temporalio/workflow';
import type { GateDecision, GateQuestion, GateVerdict } from '../../domain/gates/gate.ts';
import type { PromoteGenerationResult } from '../../domain/release/flows/promotion-flows.ts';
import type { RefusalFacts } from '../../domain/release/acts.ts';
import type { PromotionReport, ReleaseCommit } from '../../domain/release/promotion/promotion.ts';
import type { ReleaseAsset } from '../../domain/release/promotion/publication.ts';
import { passGate } from '../shared/gate.ts';
import { evaluate, type Evaluated, type Promotion } from './evaluate-promotion.ts';

/** An evaluation with all that takes time: nothing waits any more. */
export interface Settled extends Evaluated {
  /** The people who approved, as text. */
  readonly approvedBy: readonly string[];
  /** False where no people are configured: nothing shows who approved. */
  readonly isAuthenticated: boolean;
}

/** What a promotion begins to wait with. */
interface Settling {
  readonly first: Evaluated;
  /** The files of the release. */
  readonly assets: readonly ReleaseAsset[];
  readonly show: (line: string) => void;
}

/** Waits until everything that takes time is there, and the gates are open then. */
export async function settle(
  given: Promotion,
  released: ReleaseCommit,
  { first, assets, show }: Settling,
): Promise<Settled> {
  const approvals: { readonly digest: string; readonly verdict: GateVerdict }[] = [];
  for (let now = first; ; now = await evaluate(given, released)) {
    const { report } = now;
    const approval = approvals.at(-1);
    if (!report.isOpen) endRefused(given, report);
    if (report.soakUntil !== null) {
      show(`waits until ${report.soakUntil.slice(0, 16)}Z: time since the last proof`);
      await sleep(Math.max(1_000, Date.parse(report.soakUntil) - Date.now()), { summary: 'time since the last proof' });
    } else if (report.approvals !== null && approval?.digest !== report.digest) {
      show('waits for people: longhaul inbox');
      const verdict = await passGate(questionOf(given, report, assets));
      if (verdict.status === 'rejected') endRefused(given, report, [rejection(verdict)]);
      approvals.push({ digest: report.digest, verdict });
    } else {
      return {
        ...now,
        approvedBy: approval?.verdict.decisions.map(describeDecision) ?? [],
        isAuthenticated: approval?.verdict.authenticated ?? false,
      };
    }
  }
}

/** What people are asked. */
function questionOf(
  { repository, version, by, overrideFreeze }: Promotion,
  report: PromotionReport,
  assets: readonly ReleaseAsset[],
): GateQuestion {
  const { needed = 1, from = [], excludeAuthors = [] } = report.approvals ?? {};
  const { deadline = null, reminderSeconds = null, escalation = null } = report.approvals ?? {};
  return {
    kind: 'promotion',
    subject: `${version} of ${repository}`,
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
      ...(overrideFreeze === '' ? [] : [`during a freeze, because: ${overrideFreeze}`]),
    ],
  };
}

function describeDecision({ person, onBehalfOf, why }: GateDecision): string {
  return `${person}${onBehalfOf === null ? '' : ` for ${onBehalfOf}`}: ${why}`;
}

function rejection({ reason, decisions }: GateVerdict): string {
  if (reason === 'deadline') return 'No decision was made until the deadline of the approval.';
  return `The approval was rejected: ${decisions.map(describeDecision).join('; ')}.`;
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
