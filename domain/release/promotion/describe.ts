import type { GateResult } from './gates.ts';
import type { PromotionReport } from './promotion.ts';

/** The gates of a promotion, with what each that is closed says. `all` adds those that people need not see when open. */
export function describeGates({ gates, kind, version }: PromotionReport, { all }: { readonly all: boolean }): string {
  const shown = gates.filter(({ gate, reasons }) => all || !QUIET.has(gate) || reasons.length > 0);
  const title =
    kind === 'hotfix'
      ? `Promoting hot-fix: ${version}\n\nRunning HotfixGate (minimal validation)...`
      : 'Running promotion gates...';
  return [title, ...shown.flatMap(linesOf)].join('\n');
}

/** Gates that the document does not list: they are shown when they are closed, and by a dry run. */
const QUIET: ReadonlySet<string> = new Set(['ProofCoversCommitGate', 'FreezeGate']);

function linesOf({ gate, part, reasons }: GateResult): string[] {
  return [`  ${part ?? gate}: ${reasons.length === 0 ? 'PASS' : 'FAIL'}`, ...reasons.map((why) => `    ${why}`)];
}

/** The line about an approval where no people are configured. */
export const UNPROVED_APPROVAL = 'Approval: unauthenticated, nothing proves who gave it';

/** What `longhaul generation promote` and `longhaul hotfix promote` print. */
export function describePromotion(
  report: PromotionReport,
  {
    isPromoted,
    isAuthenticated,
    refused,
  }: {
    readonly isPromoted: boolean;
    /** False when the answer to its approval proves nothing about who gave it; null when it had none. */
    readonly isAuthenticated: boolean | null;
    readonly refused: readonly string[];
  },
): string {
  const { kind, version, isOpen } = report;
  const mark = isAuthenticated === false ? `\n${UNPROVED_APPROVAL}` : '';
  const gates = describeGates(report, { all: !isOpen });
  if (!isPromoted) {
    const others = refused.filter((why) => !report.gates.some(({ reasons }) => reasons.includes(why)));
    return [gates, '', ...others, `Generation ${version} not promoted.`].join('\n');
  }
  if (kind === 'hotfix') return `${gates}\n\nHot-fix promoted successfully!\nTag created: ${version}${mark}`;
  return [
    gates,
    '',
    `Creating final tag ${version}...`,
    'Updating generation status to promoted...',
    '',
    `Generation ${version} promoted successfully!${mark}`,
  ].join('\n');
}

/** What a dry run prints. */
export function describeCheck(report: PromotionReport): string {
  const { commit, isOpen, soakUntil, approvals, version } = report;
  const waits = [
    ...(soakUntil === null ? [] : [`waits until ${soakUntil.slice(0, 16)}Z: time since the last proof`]),
    ...(approvals === null ? [] : [`waits for ${approvals.needed} of ${approvals.from.join(', ')}`]),
  ];
  return [
    describeGates(report, { all: true }),
    '',
    `Commit: ${commit.slice(0, 12)}`,
    ...waits.map((wait) => `The promotion ${wait}.`),
    isOpen ? `${version} can be promoted.` : `${version} cannot be promoted.`,
  ].join('\n');
}
