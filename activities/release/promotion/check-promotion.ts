import canonicalize from 'canonicalize';
import { excludedAuthors } from '../../../domain/release/promotion/authors.ts';
import { openUntil } from '../../../domain/release/promotion/freeze.ts';
import {
  commitGate,
  freezeGate,
  areOpen,
  ledgerGates,
  type OpenFreeze,
  type TreeRun,
} from '../../../domain/release/promotion/gates.ts';
import type { CheckPromotion, PromotionReport } from '../../../domain/release/promotion/promotion.ts';
import { sha256 } from '../../../platform/sha256.ts';
import type { LedgerTools } from '../ledger-tools.ts';
import { ARTIFACTS_KIND, subjectOfJob } from '../pipelines/run-result.ts';
import { readFacts } from './generation-facts.ts';
import { readRules } from './read-release.ts';
import { treeRuns } from './tree-runs.ts';

/** See `LedgerActivities.checkPromotion`. */
export async function checkPromotion(
  tools: LedgerTools,
  asked: CheckPromotion,
  now: Date = new Date(),
): Promise<PromotionReport> {
  const { repository, version, kind, packed, coverage, overrideFreeze } = asked;
  const { commit, tree } = packed;
  const { contracts, generation } = await readRules(tools.blobs, asked);
  const { policies, promotion } = contracts.policy;
  const facts = await readFacts(tools.ledger, { repository, generation, policies });
  const runs = await treeRuns(tools, facts, { repository, version, tree, contracts });
  const open = promotion.freeze.flatMap((window): OpenFreeze[] => {
    const until = openUntil(window, now);
    return until === null ? [] : [{ name: window.name, until: until.toISOString() }];
  });
  const gates = [
    ...ledgerGates(kind, facts),
    commitGate({ ...coverage, commit, runs }),
    ...(promotion.freeze.length === 0 ? [] : [freezeGate(open, overrideFreeze)]),
  ];
  const { approvals, soak, assets: patterns } = promotion;
  const excluded = excludedAuthors(approvals?.exclude_authors ?? false, coverage.authors);
  return {
    version,
    kind,
    commit,
    gates,
    isOpen: areOpen(gates),
    proofs: coverage.proofs,
    runs,
    // a hotfix is urgent
    soakUntil: kind === 'hotfix' ? null : soakUntil(facts.lastProof, soak, now),
    approvals:
      approvals === undefined
        ? null
        : {
            needed: approvals.needed,
            from: approvals.from,
            excludeAuthors: excluded,
            deadline:
              approvals.deadline === undefined
                ? null
                : {
                    seconds: approvals.deadline,
                    outcome: approvals.at_deadline === 'approve' ? 'approved' : 'rejected',
                  },
            reminderSeconds: approvals.reminder ?? null,
            escalation:
              approvals.escalation === undefined
                ? null
                : { afterSeconds: approvals.escalation.after, to: approvals.escalation.to },
          },
    override:
      open.length === 0 || overrideFreeze === null || !tools.hasPeople
        ? null
        : {
            freezes: freezeGate(open, null).reasons,
            // one person, and no deadline that decides instead
            approvals: {
              needed: 1,
              from: approvals?.from ?? [],
              excludeAuthors: excluded,
              deadline: null,
              reminderSeconds: approvals?.reminder ?? null,
              escalation: null,
            },
          },
    assets: patterns.length === 0 ? null : { patterns, archives: await archivesOf(tools, runs) },
    digest: sha256(
      // the policies too: those of the default branch may change while people decide
      canonicalize({
        repository,
        version,
        commit,
        tree,
        contracts: asked.contracts,
        policy: contracts.policy,
        overrideFreeze,
      }) ?? '',
    ),
  };
}

/** The archives with the artifacts of jobs that passed. */
async function archivesOf({ ledger }: LedgerTools, runs: readonly TreeRun[]): Promise<readonly string[]> {
  const ids = runs.flatMap(({ run }) => run ?? []);
  if (ids.length === 0) return [];
  const jobs = await ledger
    .selectFrom('pipeline_jobs')
    .select(['pipeline_run_id as run', 'job'])
    .where('pipeline_run_id', 'in', ids)
    .where('status', '=', 'pass')
    .orderBy('job')
    .execute();
  const subjects = jobs.map(({ run, job }) => subjectOfJob(run, job));
  if (subjects.length === 0) return [];
  const found = await ledger
    .selectFrom('evidence')
    .select('blob')
    .where('kind', '=', ARTIFACTS_KIND)
    .where('subject', 'in', subjects)
    .orderBy('subject')
    .execute();
  return [...new Set(found.map(({ blob }) => blob))];
}

function soakUntil(lastProof: Date | null, seconds: number | undefined, now: Date): string | null {
  if (lastProof === null || seconds === undefined) return null;
  const until = new Date(lastProof.getTime() + seconds * 1_000);
  return until > now ? until.toISOString() : null;
}
