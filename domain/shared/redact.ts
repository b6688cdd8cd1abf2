import { type KnownSecret, knownSecrets } from './known-secrets.ts';

/** Replaces a secret. */
export const REDACTED = '[redacted]';

/**
 * A secret that is known by what precedes it. Looking for that first is ten times as fast as a lookbehind, which is tried
 * at every character.
 */
interface Preceded {
  /** The secret begins where this ends. */
  readonly after: RegExp;
  /** Sticky. */
  readonly secret: RegExp;
}

type Secret = RegExp | Preceded | KnownSecret;

/**
 * Patterns of secrets. None matches a quotation mark, so a line of JSON stays valid. Lookaheads are bounded, so that a
 * hostile text cannot make them slow.
 */
const SECRETS: readonly Secret[] = [
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
  { after: /hooks\.slack\.com\//g, secret: /[\w/-]{16,}/y },
  // JSON Web Tokens, signed or encrypted
  /eyJ[\w-]{8,2000}\.[\w-]{8,}(?:\.[\w-]*)*/g,
  // the value of an `Authorization` header
  { after: /\b(?:bearer|basic)\s{1,4}/gi, secret: /(?=[\w.~+/-]{0,200}[0-9])[\w.~+/-]{16,}={0,2}/iy },
  { after: /\bauthorization:\s{0,4}(?:basic|bearer|token)\s{1,4}/gi, secret: /[^\s"']+/y },
  // the gateway's own keys; the part before the secret identifies the key
  { after: /\blh_[0-9a-f]{12}_/g, secret: /[\w-]{43,}/y },
  // whole private keys, and the rest of one whose end was cut off
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:[^"]{0,20000}?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|(?:\s*[A-Za-z0-9+/=]{16,})*)/g,
  // user and password of a URL; over ssh a user alone is no secret
  { after: /:\/\//g, secret: /(?<=[a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>`:@]*:[^\s/?#"'<>`]*(?=@)/iy },
  { after: /:\/\//g, secret: /(?<=https?:\/\/)[^\s/?#"'<>`]+(?=@)/iy },
];

/** An escaping backslash, itself escaped any number of times, and what it escapes: one character. */
const ESCAPED = /\\+(?:u([0-9a-fA-F]{4})|([nrtbf/"\\]))/g;
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
  if (!MAY_HIDE.test(text)) return allSecrets().reduce((left, secret) => cut(left, spansIn(left, secret)), text);
  return cut(text, spansOf(text));
}

/** Known values first: a pattern may match only a part of one. */
function allSecrets(): readonly Secret[] {
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
  const readable = withoutEscapes(text);
  const plain = withoutAnsi(readable.text);
  const inText = (span: Span): Span => readable.place(span);
  return [
    // a known value may itself have what looks like an escape
    ...(readable.text === text ? [] : matchesIn(text, knownSecrets())),
    ...matchesIn(readable.text, allSecrets()).map(inText),
    ...(plain.text === readable.text
      ? []
      : matchesIn(plain.text, allSecrets()).map((span) => inText(plain.place(span)))),
  ];
}

function matchesIn(text: string, secrets: readonly Secret[]): Span[] {
  return secrets.flatMap((secret) => spansIn(text, secret));
}

function spansIn(text: string, pattern: Secret): Span[] {
  if (pattern instanceof RegExp) {
    return Array.from(text.matchAll(pattern), ({ 0: found, index }) => ({ from: index, to: index + found.length }));
  }
  if ('whole' in pattern) return text.search(pattern.core) < 0 ? [] : spansIn(text, pattern.whole);
  const { after, secret } = pattern;
  const spans: Span[] = [];
  let end = 0;
  for (const { 0: before, index } of text.matchAll(after)) {
    const from = index + before.length;
    secret.lastIndex = from;
    if (from < end || !secret.test(text)) continue;
    end = secret.lastIndex;
    spans.push({ from, to: end });
  }
  return spans;
}

/** A part of a text. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** A text with some parts replaced, by one character each or by none. */
interface Edited {
  readonly text: string;
  /** Where a part of this text was before. */
  place(span: Span): Span;
}

/** A part that was replaced, and by what. */
interface Edit extends Span {
  readonly character: string;
}

function decoded(code: string | undefined, letter = ''): string {
  return code ? String.fromCharCode(Number.parseInt(code, 16)) : (CONTROLS[letter] ?? letter);
}

function withoutEscapes(text: string): Edited {
  const left = text.replace(ESCAPED, (_, code?: string, letter?: string) => decoded(code, letter));
  return edited(left, () =>
    Array.from(text.matchAll(ESCAPED), ({ 0: found, 1: code, 2: letter, index }) => ({
      from: index,
      to: index + found.length,
      character: decoded(code, letter),
    })),
  );
}

function withoutAnsi(text: string): Edited {
  return edited(text.replace(ANSI, ''), () =>
    Array.from(text.matchAll(ANSI), ({ 0: code, index }) => ({ from: index, to: index + code.length, character: '' })),
  );
}

/** Most texts have no secret: what was replaced is only looked at again when a place is asked for. */
function edited(text: string, edits: () => readonly Edit[]): Edited {
  let placeOf: ((position: number) => Span) | undefined;
  return {
    text,
    place({ from, to }) {
      placeOf ??= placesBefore(edits());
      return { from: placeOf(from).from, to: placeOf(to - 1).to };
    },
  };
}

/** Where the character at a position of a text was before these edits. */
function placesBefore(edits: readonly Edit[]): (position: number) => Span {
  let shift = 0;
  // the position after each edit in the new text
  const behind = edits.map(({ from, to, character }) => {
    shift += to - from - character.length;
    return to - shift;
  });
  return (position) => {
    const next = firstAbove(behind, position);
    const from = (edits[next - 1]?.to ?? 0) + position - (behind[next - 1] ?? 0);
    const edit = edits[next];
    // it may be what an edit has put there
    return edit !== undefined && from >= edit.from ? edit : { from, to: from + 1 };
  };
}

/** The index of the first number above a limit, in ascending ones. */
function firstAbove(numbers: readonly number[], limit: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) > limit) high = middle;
    else low = middle + 1;
  }
  return low;
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
