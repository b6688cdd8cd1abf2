import { type Approval, doubtLines } from './approval.ts';
import type { GateResult } from './gates.ts';
import type { PromotionReport, RequiredApprovals } from './promotion.ts';

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

/** What `longhaul generation promote` and `longhaul hotfix promote` print. */
export function describePromotion(
  report: PromotionReport,
  {
    isPromoted,
    approval,
    refused,
  }: {
    readonly isPromoted: boolean;
    /** What approved it; null when no people were asked. */
    readonly approval: Approval | null;
    readonly refused: readonly string[];
  },
): string {
  const { kind, version, isOpen } = report;
  const mark = doubtLines(approval)
    .map((line) => `\n${line}`)
    .join('');
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
  const { commit, isOpen, soakUntil, approvals, override, version } = report;
  const waits = [
    ...(soakUntil === null ? [] : [`waits until ${soakUntil.slice(0, 16)}Z: time since the last proof`]),
    ...(override === null ? [] : [`waits for ${whom(override.approvals)}, because of a freeze`]),
    ...(approvals === null ? [] : [`waits for ${whom(approvals)}`]),
  ];
  return [
    describeGates(report, { all: true }),
    '',
    `Commit: ${commit.slice(0, 12)}`,
    ...waits.map((wait) => `The promotion ${wait}.`),
    isOpen ? `${version} can be promoted.` : `${version} cannot be promoted.`,
  ].join('\n');
}

function whom({ needed, from }: RequiredApprovals): string {
  return `${needed} of ${from.join(', ') || 'all people'}`;
}
