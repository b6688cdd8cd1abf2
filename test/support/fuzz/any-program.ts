import { fc } from '@fast-check/vitest';

/** Lengths around those of buffers and counters in scanners. */
const LENGTHS = [1, 2, 3, 31, 32, 33, 127, 128, 254, 255, 256, 257, 511, 512, 1_023, 1_024, 1_025, 4_096, 65_537];
const CHARACTERS = [
  'a',
  'Z',
  '_',
  '0',
  ' ',
  '\t',
  '\n',
  '\r',
  '\0',
  '"',
  "'",
  '`',
  '\\',
  '#',
  '{',
  '(',
  '[',
  '<',
  'é',
  '漢',
  '😀',
  '\u{d800}',
  '\u{feff}',
];
const SEPARATORS = ['', '', ' ', ' ', '\n', '\n  ', '\n\t', '\r\n', ';', ', '];
/** Longer texts take longer, and show little more; words may be longer. */
const LONGEST = 8_000;

/** What scanners read on from: after it, a name, string or nested text begins. */
const OPENERS = /["'`#{([<%$@=~:-]/g;

/** A change of a text: at a relative position, or at a character of {@link OPENERS}, so many characters are replaced. */
interface Edit {
  readonly at: number;
  readonly afterOpener: boolean;
  readonly removed: number;
  readonly inserted: string;
}

/** Texts like programs of a language: its tokens in any order, real programs with edits, and parts repeated often. */
export function anyProgram(tokens: readonly string[], programs: readonly string[]): fc.Arbitrary<string> {
  const token = fc.constantFrom(...(tokens.length > 0 ? tokens : CHARACTERS));
  const long = fc
    // words of letters alone are left out as encoded data before a grammar sees them
    .tuple(fc.oneof(fc.constantFrom(...CHARACTERS, 'ab ', 'é', 'x.'), token), fc.constantFrom(...LENGTHS))
    .map(([part, times]) => part.repeat(times).slice(0, 70_000));
  const word = fc.oneof(
    { weight: 12, arbitrary: token },
    { weight: 3, arbitrary: fc.constantFrom('x', 'y', '1', 'Name') },
    { weight: 1, arbitrary: long },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
  );
  const soup = (maxLength: number): fc.Arbitrary<string> =>
    fc
      .array(fc.tuple(word, fc.constantFrom(...SEPARATORS)), { maxLength, size: 'max' })
      .map((parts) => parts.flat().join(''));
  const edit: fc.Arbitrary<Edit> = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    afterOpener: fc.boolean(),
    removed: fc.oneof(fc.constant(0), fc.nat(40), fc.nat(2_000)),
    inserted: fc.oneof(fc.constant(''), word, long, soup(6)),
  });
  const edited = fc
    .tuple(fc.constantFrom(...programs), fc.constantFrom(...programs), fc.array(edit, { minLength: 1, maxLength: 8 }))
    .map(([program, other, edits]) => edits.reduce(applied, edits.length > 6 ? program + other : program));
  const repeated = fc
    .tuple(soup(4), soup(6), fc.oneof(fc.nat(40), fc.nat(3_000)), soup(6))
    .map(([before, part, times, after]) => before + part.slice(0, 2_000).repeat(times).slice(0, LONGEST) + after);
  const usual = fc
    .oneof({ weight: 3, arbitrary: soup(200) }, { weight: 5, arbitrary: edited }, { weight: 2, arbitrary: repeated })
    .map((text) => text.slice(0, LONGEST));
  const withLong = fc.tuple(soup(20), long, soup(20)).map((parts) => parts.join(''));
  return fc.oneof({ weight: 19, arbitrary: usual }, { weight: 1, arbitrary: withLong });
}

function applied(text: string, { at, afterOpener, removed, inserted }: Edit): string {
  const openers = afterOpener ? Array.from(text.matchAll(OPENERS), ({ index }) => index + 1) : [];
  const start = openers[Math.floor(at * openers.length)] ?? Math.floor(at * text.length);
  return text.slice(0, start) + inserted + text.slice(start + removed);
}
