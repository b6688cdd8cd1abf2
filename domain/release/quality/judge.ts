import type { Quality, Waiver } from '../contracts/quality.schema.ts';
import { matchesWildcards } from '../../git/pattern.ts';
import { type CoveredFile, coverageOf, type JobReports, LEVELS, type ReportedFinding } from './report.ts';

/** How a rule of a pipeline ended. */
export interface RuleResult {
  readonly rule: 'coverage' | 'findings' | 'tests';
  /** `waived`: it failed, and a waiver counts. */
  readonly status: 'passed' | 'failed' | 'waived';
  /** What was found, as one line. */
  readonly found: string;
  /** Tests or findings that broke the rule, one line each; the first ones. */
  readonly examples: readonly string[];
  /** The waiver that counts; null for none. */
  readonly waiver: Waiver | null;
}

/** What rules are judged by. */
export interface QualityFacts {
  /** Of all jobs together. */
  readonly reports: readonly JobReports[];
  /** Fingerprints of the findings that are known; null when no run has passed that they could be known from. */
  readonly known: ReadonlySet<string> | null;
  /** True for a run at a commit of the branch that they are known from. */
  readonly isBaseline: boolean;
  /** The day of the run, UTC: `2026-11-29`. */
  readonly day: string;
}

const MOST_EXAMPLES = 20;

/** Judges the rules of a pipeline. A rule whose report is missing has failed. */
export function judgeQuality(quality: Quality, facts: QualityFacts): RuleResult[] {
  const judged = [
    ...(quality.tests === undefined ? [] : [judgeTests(quality, facts)]),
    ...(quality.coverage === undefined ? [] : [judgeCoverage(quality.coverage.minimum, facts)]),
    ...(quality.findings === undefined ? [] : [judgeFindings(quality.findings.none_new, quality, facts)]),
  ];
  return judged.map((result): RuleResult => {
    if (result.isKept) return { ...shown(result), examples: [], status: 'passed', waiver: null };
    const waiver = quality.waivers.find(
      (one) => one.rule === result.rule && one.matching === undefined && counts(one, facts),
    );
    return { ...shown(result), status: waiver === undefined ? 'failed' : 'waived', waiver: waiver ?? null };
  });
}

/** A rule before waivers of the whole rule. */
interface Judged extends Pick<RuleResult, 'rule' | 'found' | 'examples'> {
  readonly isKept: boolean;
}

function shown({ rule, found, examples }: Judged): Pick<RuleResult, 'rule' | 'found' | 'examples'> {
  return { rule, found, examples: examples.slice(0, MOST_EXAMPLES) };
}

function counts({ until }: { readonly until: string }, { day }: Pick<QualityFacts, 'day'>): boolean {
  return day <= until;
}

function isWaived(
  rule: RuleResult['rule'],
  text: string,
  { waivers }: Quality,
  facts: Pick<QualityFacts, 'day'>,
): boolean {
  return waivers.some(
    (one) =>
      one.rule === rule && one.matching !== undefined && counts(one, facts) && matchesWildcards(one.matching, text),
  );
}

function judgeTests(quality: Quality, facts: QualityFacts): Judged {
  const tests = facts.reports.flatMap((report) => report.tests);
  const failed = tests.filter(({ status }) => status === 'failed').map(({ name }) => name);
  const quarantined = failed.filter((name) =>
    quality.quarantine.some((one) => counts(one, facts) && matchesWildcards(one.test, name)),
  );
  const bad = failed.filter((name) => !quarantined.includes(name) && !isWaived('tests', name, quality, facts));
  const extra = quarantined.length === 0 ? '' : `, ${quarantined.length} failed in quarantine`;
  return {
    rule: 'tests',
    isKept: tests.length > 0 && bad.length === 0,
    found: tests.length === 0 ? 'no report of tests' : `${tests.length} tests, ${bad.length} failed${extra}`,
    examples: bad,
  };
}

function judgeCoverage(minimum: number, { reports }: QualityFacts): Judged {
  const percent = coverageOf(mergedCoverage(reports));
  return {
    rule: 'coverage',
    isKept: percent !== null && percent >= minimum,
    found: percent === null ? 'no report of coverage' : `${percent} % of the lines, at least ${minimum} % are required`,
    examples: [],
  };
}

/** The best that any report says about a file: jobs test the same files. */
function mergedCoverage(reports: readonly JobReports[]): CoveredFile[] {
  const best = new Map<string, CoveredFile>();
  for (const file of reports.flatMap(({ coverage }) => coverage)) {
    const known = best.get(file.path);
    if (known === undefined || file.covered > known.covered) best.set(file.path, file);
  }
  return [...best.values()];
}

function judgeFindings(worst: (typeof LEVELS)[number], quality: Quality, facts: QualityFacts): Judged {
  const { reports, known, isBaseline } = facts;
  const isReported = reports.some(({ kinds }) => kinds.includes('sarif'));
  const all = reports
    .flatMap(({ findings }) => findings)
    .filter(({ level }) => LEVELS.indexOf(level) <= LEVELS.indexOf(worst));
  const unknown = all.filter(({ fingerprint }) => known?.has(fingerprint) !== true);
  const fresh = unknown.filter((finding) => !isWaived('findings', findingLine(finding), quality, facts));
  const waived = unknown.length - fresh.length;
  const isFirst = known === null && isBaseline;
  const compared = known === null ? 'nothing to compare with' : `${fresh.length} of them new`;
  const extra = waived === 0 ? '' : `, ${waived} waived`;
  return {
    rule: 'findings',
    isKept: isReported && (isFirst || fresh.length === 0),
    found: isReported
      ? `${all.length} findings of level ${worst} or worse, ${compared}${extra}`
      : 'no report of findings',
    examples: fresh.map(findingLine),
  };
}

/**
 * Fingerprints of the new findings that a waiver for some findings lets pass. They do not become known: when the waiver
 * has ended, they are new.
 */
export function waivedFindings(quality: Quality, facts: Pick<QualityFacts, 'reports' | 'known' | 'day'>): string[] {
  const waived = facts.reports
    .flatMap(({ findings }) => findings)
    .filter(
      (finding) =>
        facts.known?.has(finding.fingerprint) !== true && isWaived('findings', findingLine(finding), quality, facts),
    );
  return [...new Set(waived.map(({ fingerprint }) => fingerprint))];
}

/** A finding as one line; waivers match it. */
export function findingLine({ rule, path, line, message }: ReportedFinding): string {
  const place = path === null ? '' : `${path}${line === null ? '' : `:${line}`}: `;
  return `${place}${rule}: ${message.split('\n')[0] ?? ''}`;
}

/** Waivers and quarantined tests that count on a day, as one line each. Every report shows them until they end. */
export function exceptionsOf({ waivers, quarantine }: Quality, day: string): string[] {
  return [
    ...waivers.map((one) => ({
      until: one.until,
      text: `waiver of ${one.rule}${one.matching === undefined ? '' : ` for ${one.matching}`}, approved by ${one.approved_by}, until ${one.until}: ${one.why}`,
    })),
    ...quarantine.map((one) => ({
      until: one.until,
      text: `test ${one.test} in quarantine, owned by ${one.owner}, until ${one.until}: ${one.why}`,
    })),
  ].map(({ until, text }) => (day <= until ? text : `${text} (has ended)`));
}
