import type { GateAnswer, GateDecision, GateView } from '../../domain/gates/gate.ts';
import { CONSOLE } from './assets.ts';
import { html, type Html, type HtmlValue } from './html.ts';
import type { PageContent } from './layout.ts';
import { badge, facts, link, notice, numberedPager, table, type Tone } from './parts.ts';
import { runPath } from './runs-page.ts';
import { time } from './time.ts';

/** Gates on a page. */
const ROWS = 50;
/** Path of the inbox. */
export const INBOX = `${CONSOLE}/inbox`;

/** The page of a gate. */
export function gatePath(id: string): string {
  return `${INBOX}/${encodeURIComponent(id)}`;
}

/** The open gates of all flows. `decided`: id of a gate that the person has just decided. */
export function inboxContent(gates: readonly GateView[], page: number, decided: string | null): PageContent {
  const body = html`${decided !== null && notice('good', 'Your decision is recorded', link(gatePath(decided), decided))}
    <p>${gates.length === 1 ? '1 gate is' : `${gates.length.toLocaleString('en')} gates are`} open.</p>
    ${table({
      caption: 'Open gates',
      head: ['What', 'Kind', 'Asked by', 'Since', 'Until', 'Approvals', 'Who may decide'],
      rows: gates
        .slice((page - 1) * ROWS, page * ROWS)
        .map((gate) => [
          link(gatePath(gate.id), gate.subject),
          gate.kind,
          gate.requestedBy,
          time(gate.requestedAt),
          until(gate),
          `${gate.have} of ${gate.needed}`,
          deciders(gate),
        ]),
      empty: 'Nothing waits for a person.',
    })}
    ${numberedPager('Pages of gates', INBOX, {}, page, gates.length / ROWS)}`;
  return { title: 'Inbox', body };
}

/** What the form of a gate needs. */
export interface GateForm {
  readonly formToken: string;
  /** The name of the person who sees it. */
  readonly person: string;
  /** The reason as it was sent, when it was refused. */
  readonly why: string;
  /** Why the decision was refused; null when none was. */
  readonly refused: { readonly message: string; readonly remedy: string | null } | null;
}

/** A gate with its evidence and decisions; with a form while it is open. */
export function gateContent(gate: GateView, form: GateForm): PageContent {
  const { id, status, evidence, decisions } = gate;
  const isOpen = status === 'open';
  const body = html`${form.refused !== null && notice('bad', form.refused.message, form.refused.remedy)}
    ${!isOpen && notice(STATUS_TONES[status], `This gate is ${status}`, gate.reason !== null && `By ${gate.reason}.`)}
    ${facts([
      ['Kind', gate.kind],
      ['Repository', gate.repository],
      ['Asked by', gate.requestedBy],
      ['Since', time(gate.requestedAt)],
      ['Until', until(gate)],
      ['Approvals', `${gate.have} of ${gate.needed}`],
      ['Who may decide', deciders(gate)],
      ['Later also', gate.escalatesAt !== null && html`${gate.escalatesTo.join(', ')}, from ${time(gate.escalatesAt)}`],
      ['Flow', link(runPath(gate.workflowId), gate.workflowId)],
      ['Gate', html`<code>${id}</code>`],
      ['Digest', html`<code>${gate.digest}</code>`],
    ])}
    <h2>Evidence</h2>
    ${evidence.length === 0 ? html`<p class="empty">The flow gave none.</p>` : html`<ul>${evidence.map((line) => html`<li>${line}</li>`)}</ul>`}
    <h2>Decisions</h2>
    ${table({
      caption: 'Decisions',
      head: ['Who', 'Verdict', 'Why', 'When', 'Authenticated by'],
      rows: decisions.map((one) => [
        one.onBehalfOf === null ? one.person : `${one.person} for ${one.onBehalfOf}`,
        verdictBadge(one, gate.digest),
        one.why,
        time(one.at),
        one.authenticatedBy,
      ]),
      empty: 'None yet.',
    })}
    ${isOpen && decisionForm(gate, form)}`;
  return { title: gate.subject, body };
}

function decisionForm({ id, digest, decisions }: GateView, { formToken, person, why }: GateForm): Html {
  const own = decisions.findLast((one) => one.person === person && one.onBehalfOf === null);
  return html`<h2 id="decide">Decide</h2>
    <form method="post" action="${gatePath(id)}" aria-labelledby="decide">
      <input type="hidden" name="formToken" value="${formToken}">
      <input type="hidden" name="digest" value="${digest}">
      <label class="field wide"><span>Why (goes into the audit trail)</span>
        <textarea name="why" rows="2" maxlength="2000" required>${why}</textarea></label>
      ${button('approve', 'Approve', false)}${button('reject', 'Reject', true)}${
        own?.verdict === 'approve' && button('revoke', 'Take my approval back', true)
      }
    </form>`;
}

function button(verdict: GateAnswer, text: string, isSecond: boolean): Html {
  return html`<button name="verdict" value="${verdict}"${isSecond && html` class="second"`}>${text}</button>\n`;
}

const STATUS_TONES: Readonly<Record<GateView['status'], Tone>> = {
  open: 'busy',
  approved: 'good',
  rejected: 'bad',
  cancelled: 'quiet',
};

function verdictBadge({ verdict, digest }: GateDecision, current: string): Html {
  const text = { approve: 'approved', reject: 'rejected', revoke: 'taken back' }[verdict];
  const tone = ({ approve: 'good', reject: 'bad', revoke: 'quiet' } as const)[verdict];
  return digest === current ? badge(text, tone) : html`${badge(text, 'quiet')} of an earlier state`;
}

function until({ deadline, atDeadline }: GateView): HtmlValue {
  return deadline === null ? '' : html`${time(deadline)}, then ${atDeadline}`;
}

function deciders({ from, authenticated }: GateView): string {
  if (!authenticated) return 'everyone: no people are configured';
  return from.length === 0 ? 'all people' : from.join(', ');
}
