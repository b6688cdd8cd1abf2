import { decisionsOf } from '../../activities/gates/gate-rows.ts';
import { openGates, readGate } from '../../activities/gates/read-gates.ts';
import { logProcess } from '../../activities/shared/logger.ts';
import { directoryOf } from '../../domain/config/people.schema.ts';
import { check, describeIssue } from '../../domain/shared/check.schema.ts';
import { decideGate } from '../core/decide-gate.ts';
import { decisionBody, type GatesTools } from '../gateway/gates.ts';
import { Refusal } from '../gateway/refusal.ts';
import { refusedBy } from '../gateway/refused.ts';
import { gateContent, INBOX, inboxContent } from './inbox-page.ts';
import { type ConsolePage, type ConsoleSources, type FormQuestion, pageNumber } from './page.ts';
import { pathWith } from './parts.ts';

/** The pages of gates: the open ones of all flows, and one with the form of a decision. */
export function inboxPages(
  { context, ledger }: ConsoleSources,
  desk: GatesTools['desk'],
): readonly [inbox: ConsolePage, gate: ConsolePage] {
  const directory = directoryOf(context.config);

  async function decide({ params: { id = '' }, form, person, log }: FormQuestion): Promise<string> {
    if (desk === null)
      throw new Refusal(503, 'ServerUnavailable', 'The gateway has no ledger: set DATABASE_GATES_URL.');
    const given = { verdict: form.get('verdict'), why: form.get('why'), digest: form.get('digest') };
    const checked = check(decisionBody, given);
    if (!checked.success) throw new Refusal(422, 'InvalidInput', describeIssue(checked.error));
    const { verdict, why, digest } = checked.data;
    await decideGate(desk, person, { gate: id, verdict, why, digest });
    const said = { gate: id, verdict, person: person.name, authenticated_by: person.authenticatedBy };
    logProcess(log, 'decision_recorded', said, 'decision recorded');
    return pathWith(INBOX, { decided: id });
  }

  return [
    {
      path: '/inbox',
      name: 'Inbox',
      isLive: true,
      async render({ query, person }) {
        const gates = await ledger((db) => openGates(db, directory));
        // another site can make the link: what it says must be true
        const id = query.get('decided') ?? '';
        const decisions = id === '' ? [] : (await ledger((db) => decisionsOf(db, [id]))).get(id);
        const hasDecided = decisions?.some((each) => each.person === person.name) === true;
        return inboxContent(gates, pageNumber(query), hasDecided ? id : null);
      },
    },
    {
      path: '/inbox/:id',
      name: null,
      async render({ params: { id = '' }, person, formToken }) {
        const gate = await ledger((db) => readGate(db, directory, id));
        return gateContent(gate, { formToken: formToken(), person: person.name, why: '', refused: null });
      },
      async submit(question) {
        const { params, person, form, formToken } = question;
        try {
          return { to: await decide(question) };
        } catch (error) {
          const refused = refusedBy(error);
          if (refused.status >= 500 || refused.type === 'GateNotFound') throw error;
          const gate = await ledger((db) => readGate(db, directory, params['id'] ?? ''));
          const shown = { formToken: formToken(), person: person.name, why: form.get('why') ?? '', refused };
          return { status: refused.status, content: gateContent(gate, shown) };
        }
      },
    },
  ];
}
