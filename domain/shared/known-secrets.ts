/** Shorter values are found in ordinary text, too: they are not replaced. */
export const SHORTEST_SECRET = 8;
/** The longest value that is found wherever a stream of text is cut. */
export const LONGEST_SECRET = 7_000;

/** How a value is found. */
export interface KnownSecret {
  /** Matches some part of every text in which `whole` matches, and no other text; it is several times as fast. */
  readonly core: RegExp;
  readonly whole: RegExp;
}

/** A pattern is made once for each value: that takes longer than finding it. */
const values = new Map<string, KnownSecret>();
let patterns: readonly KnownSecret[] = [];

/**
 * Makes values known as secrets to {@link knownSecrets}, for the rest of the life of this process. Of a value with
 * several lines each line is a secret of its own, because programs print lines. Parts shorter than
 * {@link SHORTEST_SECRET} are left out.
 */
export function knowSecrets(more: Iterable<string>): void {
  for (const value of more) {
    for (const part of [value, ...value.split('\n')].map((text) => text.trim())) {
      if (part.length >= SHORTEST_SECRET && !values.has(part)) values.set(part, patternOf(part));
    }
  }
  // a secret that contains another one is replaced as a whole
  patterns = [...values].sort(([a], [b]) => b.length - a.length).map(([, pattern]) => pattern);
}

/**
 * Patterns that find the values as they are, percent-encoded (also in part, and with `+` for a space), and in base64:
 * alone or inside of a longer text, in both alphabets, on one line or broken into several.
 */
export function knownSecrets(): readonly KnownSecret[] {
  return patterns;
}

/** Finds out whether a text that arrives in pieces contains a known secret. */
export function createSecretFinder(): { push(piece: string): boolean } {
  let held = '';
  return {
    push(piece) {
      held += piece;
      const isFound = patterns.some(({ core }) => held.search(core) >= 0);
      held = held.slice(-ENCODED);
      return isFound;
    },
  };
}

/** Characters of the longest secret, percent-encoded. */
const ENCODED = 3 * LONGEST_SECRET;

function patternOf(value: string): KnownSecret {
  const bytes = new TextEncoder().encode(value);
  const encoded = [0, 1, 2].map((before) => inBase64(bytes, before));
  return {
    core: new RegExp([spelled(value), ...encoded.map(({ core }) => core)].join('|')),
    whole: new RegExp([spelled(value), ...encoded.map(({ whole }) => whole)].join('|'), 'g'),
  };
}

/** Each character as it is or percent-encoded. */
function spelled(value: string): string {
  return Array.from(value, (character) => {
    const encoded = [...new TextEncoder().encode(character)].map(percent).join('');
    return `(?:${literal(character)}${character === ' ' ? String.raw`|\+` : ''}|${encoded})`;
  }).join('');
}

function percent(byte: number): string {
  const digits = byte.toString(16).padStart(2, '0');
  return `%${Array.from(digits, (digit) => (/\d/.test(digit) ? digit : `[${digit}${digit.toUpperCase()}]`)).join('')}`;
}

function literal(character: string): string {
  return character.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}

/**
 * The characters of the base64 of a text that depend on the bytes of a secret alone, when `before` bytes (modulo 3)
 * precede it. Those that other bytes share are taken, too.
 */
function inBase64(bytes: Uint8Array, before: number): { readonly core: string; readonly whole: string } {
  const shifted = new Uint8Array(before + bytes.length);
  shifted.set(bytes, before);
  const own = btoa(String.fromCharCode(...shifted)).replace(/=+$/, '');
  const first = Math.ceil((before * 8) / 6);
  const isShared = shifted.length % 3 !== 0;
  const core = own.slice(first, isShared ? -1 : undefined);
  const characters = Array.from(core, (each) => (each === '+' ? '[+-]' : each === '/' ? String.raw`[\/_]` : each));
  const any = String.raw`[\w+\/-]`;
  const wrapped = String.raw`(?:\r?\n)?`;
  const certain = characters.join(wrapped);
  return {
    core: certain,
    whole: `${first === 0 ? '' : `${any}?`}${certain}${isShared ? `(?:${wrapped}${any})?` : ''}`,
  };
}
