import type { DeployPlace, PlannedDeployment } from '../../domain/release/deployment/deployment.ts';
import { describeShared } from '../../domain/release/deployment/shared-file.ts';
import type { EnvironmentChange } from '../../domain/release/flows/deploy-flows.ts';
import { passGate } from '../shared/gate.ts';
import { commitActivities, ledgerActivities } from './activities.ts';
import { refusal } from './deployment-failures.ts';
import type { DeploymentHooks } from './deployment-hooks.ts';
import { makePlan } from './plan-deployment.ts';

/** A plan that may be carried out. */
export interface Approved {
  readonly plan: PlannedDeployment;
  /** The people who approved it, as text. */
  readonly approvedBy: readonly string[];
}

/** Waits for people. A plan that others' changes made another one is asked about again. */
export async function approve(
  given: EnvironmentChange,
  {
    place,
    hooks,
    first,
  }: { readonly place: DeployPlace; readonly hooks: DeploymentHooks; readonly first: PlannedDeployment },
  show: (line: string) => void,
): Promise<Approved> {
  const { repository, version, environment, by, overrideFreeze } = given;
  const passed = new Map<string, readonly string[]>();
  const failures = await ledgerActivities.failedDeployments.executeWithOptions({ summary: 'earlier attempts' }, [
    { repository, environment, version },
  ]);
  for (let plan = first; ; plan = await makePlan(given, place)) {
    const lasting = [...plan.irreversible, ...hooks.lasting];
    refuse(given, place, { ...plan, problems: [...plan.problems, ...hooks.problems] }, lasting);
    const questions = [
      ...(failures.length >= MOST_FAILURES ? [{ kind: 'attempts', evidence: failures.slice(0, 10) }] : []),
      ...(lasting.length > 0 ? [{ kind: 'irreversible', evidence: lasting }] : []),
      ...(plan.freezes.length > 0
        ? [{ kind: 'freeze', evidence: [...plan.freezes, `because: ${overrideFreeze}`] }]
        : []),
      ...(plan.approvals === null ? [] : [{ kind: 'deployment', evidence: [] }]),
    ];
    const open = questions.find(({ kind }) => !passed.has(`${kind} ${plan.digest}`));
    if (open === undefined) {
      return { plan, approvedBy: questions.flatMap(({ kind }) => passed.get(`${kind} ${plan.digest}`) ?? []) };
    }
    const excludeAuthors = await excludedFrom(given, plan);
    show('waits for people: longhaul inbox');
    const { needed, from, deadline, reminderSeconds, escalation } = plan.approvals ?? ONE_PERSON;
    const { create, update, delete: deleted } = plan.counts;
    const verdict = await passGate({
      kind: open.kind,
      subject: `${version} of ${repository} to ${environment}`,
      repository,
      digest: plan.digest,
      requestedBy: by,
      requester: given.alert === undefined ? 'person' : 'service',
      approvals: { needed, from, excludeAuthors },
      ...(deadline === null || open.kind !== 'deployment' ? {} : { deadline }),
      ...(reminderSeconds === null ? {} : { reminderSeconds }),
      ...(escalation === null ? {} : { escalation }),
      evidence: [
        `commit ${given.packed.commit}`,
        ...(plan.shared === null ? [] : [`the environment is ${describeShared(plan.shared)}`]),
        `${create} objects are created, ${update} changed, ${deleted} deleted`,
        `difference: longhaul deployments diff ${plan.deployment}`,
        ...(given.alert === undefined ? [] : [`because of ${given.alert.text}`]),
        ...open.evidence,
      ],
    });
    if (verdict.status === 'rejected') {
      const why = verdict.decisions.map(({ person, why: reason }) => `${person}: ${reason}`).join('; ');
      throw refusal(
        verdict.reason === 'deadline'
          ? 'No decision was made until the deadline of the approval.'
          : `The ${open.kind === 'deployment' ? 'approval' : open.kind} was rejected: ${why}.`,
      );
    }
    passed.set(
      `${open.kind} ${plan.digest}`,
      verdict.decisions.map(({ person, why }) => `${person}: ${why}`),
    );
  }
}

/** The authors of the changes who may not approve them. */
async function excludedFrom(
  { repository, packed, environment }: EnvironmentChange,
  { authorsSince: since }: PlannedDeployment,
): Promise<readonly string[]> {
  if (since === undefined) return [];
  const authors = await commitActivities.findAuthors.executeWithOptions({ summary: 'who wrote the changes' }, [
    { repository, packed, since },
  ]);
  if (authors !== null) return authors;
  throw refusal(
    `${environment} excludes the authors of the changes from the approval (exclude_authors), but there are too many to know them all: deploy a release with fewer commits, or change environments.yaml.`,
  );
}

/** After so many attempts of a release that did not stay, a person is asked before the next one. */
const MOST_FAILURES = 3;

const ONE_PERSON: NonNullable<PlannedDeployment['approvals']> = {
  needed: 1,
  from: [],
  excludeAuthors: [],
  deadline: null,
  reminderSeconds: null,
  escalation: null,
};

/** Refuses a plan before the first change. */
function refuse(
  { overrideFreeze, alert, environment }: EnvironmentChange,
  place: DeployPlace,
  plan: PlannedDeployment,
  lasting: readonly string[],
): void {
  const reasons = [
    ...(alert === undefined || alert.deployment === plan.previous?.deployment
      ? []
      : [
          `${environment} has had another deployment since the alert: it has ${plan.previous?.version ?? 'nothing'} now.`,
        ]),
    ...plan.problems,
    ...(place.irreversible === 'refuse' ? lasting : []),
    ...(overrideFreeze === '' ? plan.freezes : []),
  ];
  if (reasons.length > 0) throw refusal(reasons.join(' '), reasons);
}
