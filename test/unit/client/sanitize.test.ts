import { toUSVString } from 'node:util';
import { expect, test } from 'vitest';
import { nameShownAs, printable, sanitize, sanitizeName } from '../../../client/core/sanitize.ts';

/** Every character, and every lone surrogate. */
const CHARACTERS = Array.from({ length: 0x110000 }, (_, point) => String.fromCodePoint(point));

test('each character escaped for an agent is replaced for a terminal', () => {
  const escaped = CHARACTERS.filter(
    (character) => sanitize(character) !== character && toUSVString(character) === character,
  );
  expect(escaped.length).toBeGreaterThan(100);
  expect(escaped.filter((character) => printable(character) === character)).toEqual([]);
});

test('a terminal gets no control character, no line end and no character without width', () => {
  const shown = CHARACTERS.map(printable).join('');
  // Cc: control, Zl and Zp: line and paragraph separators, Bidi_Control: marks and overrides of direction
  expect(shown).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\u200b-\u200d\u2060\ufeff\u{e0001}]/u);
  expect(printable('a\tb\u001b[31mc\nd')).toBe('a    b\ufffd[31mc\ufffdd');
});

test('code for an agent keeps tabs, lines and joiners; a name is one line and is restored', () => {
  const code = '\tlet family = "\u{1f468}\u200d\u{1f469}";\n';
  expect(sanitize(code)).toBe(code);
  expect(CHARACTERS.filter((character) => nameShownAs(sanitizeName(character)) !== character)).toEqual([]);
  expect(sanitizeName(CHARACTERS.join(''))).not.toMatch(/[\n\t]/);
});
