import { knownSecrets } from './known-secrets.ts';

/** Replaces a secret. */
export const REDACTED = '[redacted]';

/**
 * Patterns of secrets. None matches a quotation mark, so a line of JSON stays valid. Lookaheads are bounded, so that a
 * hostile text cannot make them slow.
 */
const SECRETS: readonly RegExp[] = [
  // GitHub
  /gh[pousr]_[A-Za-z0-9_]{16,}/g,
  /github_pat_[A-Za-z0-9_]{16,}/g,
  // GitLab
  /gl(?:pat|oas|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|ffct)-[\w-]{16,}(?:\.[\w-]+)*/g,
  // Bitbucket
  /AT[AC]TT3x[\w=-]{16,}/g,
  // OpenAI, Anthropic and compatible services: names of repositories do not mix characters like this
  /(?<![A-Za-z0-9])sk-(?=[\w-]{0,200}[0-9A-Z])[\w-]{16,}/g,
  // AWS
  /A[KS]IA[0-9A-Z]{16}/g,
  // Slack: tokens, and the addresses of its webhooks
  /xox[a-z]-[\w-]{10,}/g,
  /(?<=hooks\.slack\.com\/)[\w/-]{16,}/g,
  // JSON Web Tokens, signed or encrypted
  /eyJ[\w-]{8,2000}\.[\w-]{8,}(?:\.[\w-]*)*/g,
  // the value of an `Authorization` header
  /(?<=\b(?:bearer|basic)\s{1,4})(?=[\w.~+/-]{0,200}[0-9])[\w.~+/-]{16,}={0,2}/gi,
  /(?<=\bauthorization:\s{0,4}(?:basic|bearer|token)\s{1,4})[^\s"']+/gi,
  // the gateway's own keys; the part before the secret identifies the key
  /(?<=\blh_[0-9a-f]{12}_)[\w-]{43,}/g,
  // whole private keys, and the rest of one whose end was cut off
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:[^"]{0,20000}?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|(?:\s*[A-Za-z0-9+/=]{16,})*)/g,
  // user and password of a URL; over ssh a user alone is no secret
  /(?<=[a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>`:@]*:[^\s/?#"'<>`]*(?=@)/gi,
  /(?<=https?:\/\/)[^\s/?#"'<>`]+(?=@)/gi,
];

/** An escaping backslash, itself escaped any number of times; any other character stands for itself. */
const ESCAPED = /\\+(?:u([0-9a-fA-F]{4})|([nrtbf/"\\]))|[^]/g;
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };
/** ANSI escape sequences. */
// oxlint-disable-next-line no-control-regex -- matches control characters on purpose
const ANSI = /\u001b\[[0-?]*[ -/]*[@-~]|\u009b[0-?]*[ -/]*[@-~]|\u001b[ -/]*[0-Z\\^-~]/g;
// oxlint-disable-next-line no-control-regex -- matches control characters on purpose
const MAY_HIDE = /[\\\u001b\u009b]/;

/**
 * Replaces secrets in a text: tokens of forges and models, AWS and Slack keys, JSON Web Tokens, private keys, the
 * credentials of URLs, and the values that this process knows as secrets (`knowSecrets`), also where the text is escaped
 * as JSON, any number of times, or contains ANSI codes. Everything else is unchanged; a line of JSON stays valid.
 * Idempotent.
 */
export function redact(text: string): string {
  if (!MAY_HIDE.test(text)) return allSecrets().reduce((left, secret) => left.replace(secret, REDACTED), text);
  return cut(text, spansOf(text));
}

/** Known values first: a pattern may match only a part of one. */
function allSecrets(): readonly RegExp[] {
  return [...knownSecrets(), ...SECRETS];
}

/** The longest secret that is found across pieces: a private key. */
const LONGEST_SECRET = 24_000;

/** {@link redact} for a text that arrives in pieces: a secret is found wherever the pieces are cut. */
export interface StreamRedactor {
  /** Takes a piece, and returns what can be passed on: all but the last part, which may be the beginning of a secret. */
  push(piece: string): string;
  /** Returns the rest. */
  end(): string;
}

/** Creates a {@link StreamRedactor}. It holds back at most about 50,000 characters. */
export function createStreamRedactor(): StreamRedactor {
  let held = '';
  return {
    push(piece) {
      held += piece;
      if (held.length < 2 * LONGEST_SECRET) return '';
      const spans = spansOf(held);
      const limit = held.length - LONGEST_SECRET;
      const crossing = spans.filter(({ from, to }) => from < limit && to > limit).map(({ from }) => from);
      // a secret as long as the window is cut off at its end instead
      const at = Math.min(limit, ...crossing) || limit;
      const passed = cut(
        held.slice(0, at),
        spans.filter(({ to }) => to <= at),
      );
      held = held.slice(at);
      return passed;
    },
    end() {
      const rest = redact(held);
      held = '';
      return rest;
    },
  };
}

function spansOf(text: string): Span[] {
  if (!MAY_HIDE.test(text)) return matchesIn(text, allSecrets());
  const units = unitsOf(text);
  // a known value may itself have what looks like an escape
  return [...matchesIn(text, knownSecrets()), ...secretsIn(units), ...secretsIn(withoutAnsi(units))];
}

function matchesIn(text: string, secrets: readonly RegExp[]): Span[] {
  return secrets.flatMap((secret) =>
    [...text.matchAll(secret)].map(({ 0: found, index }) => ({ from: index, to: index + found.length })),
  );
}

/** A decoded character and its position in the text. */
interface Unit {
  readonly character: string;
  readonly from: number;
  readonly to: number;
}

type Span = Pick<Unit, 'from' | 'to'>;

function unitsOf(text: string): Unit[] {
  return [...text.matchAll(ESCAPED)].map(({ 0: found, 1: code, 2: letter, index }) => ({
    character: code ? String.fromCharCode(Number.parseInt(code, 16)) : letter ? (CONTROLS[letter] ?? letter) : found,
    from: index,
    to: index + found.length,
  }));
}

function withoutAnsi(units: readonly Unit[]): Unit[] {
  const gone = new Set<number>();
  for (const { 0: code, index } of spelled(units).matchAll(ANSI)) {
    for (let at = index; at < index + code.length; at++) gone.add(at);
  }
  return units.filter((_, at) => !gone.has(at));
}

function secretsIn(units: readonly Unit[]): Span[] {
  return matchesIn(spelled(units), allSecrets()).map(({ from, to }) => ({
    from: units[from]?.from ?? 0,
    to: units[to - 1]?.to ?? 0,
  }));
}

function spelled(units: readonly Unit[]): string {
  return units.map(({ character }) => character).join('');
}

function cut(text: string, secrets: readonly Span[]): string {
  let left = '';
  let at = 0;
  for (const { from, to } of [...secrets].sort((a, b) => a.from - b.from)) {
    if (to <= at) continue;
    // overlapping matches are merged
    if (from >= at) left += text.slice(at, from) + REDACTED;
    at = to;
  }
  return left + text.slice(at);
}
