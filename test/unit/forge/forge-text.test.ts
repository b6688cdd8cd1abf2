import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import {
  harmlessDescription,
  harmlessText,
  harmlessTitle,
  hasMarker,
  isSameText,
  withMarker,
} from '../../../domain/forge/forge-text.ts';

// oxlint-disable-next-line no-control-regex -- they are removed
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
const PIECES = fc.array(
  fc.oneof(
    fc.constantFrom(
      '<!-- longhaul:a -->',
      '<!--',
      '-->',
      '@team',
      '@',
      '/close',
      '\n',
      '\r\n',
      '> ',
      ' ',
      '\u0000',
      '`',
      'é',
    ),
    fc.string({ maxLength: 5 }),
  ),
  { maxLength: 20 },
);

property.prop([PIECES, fc.string(), fc.string()])('a text has the marker of its own key only', (pieces, key, other) => {
  const body = withMarker(key, pieces.join(''));
  expect(hasMarker(key, body)).toBe(true);
  expect(hasMarker(other, body)).toBe(other === key);
  // a forge may change the ends of lines
  expect(hasMarker(key, body.replaceAll('\n', '\r\n'))).toBe(true);
  expect(body.split('-->').length - 1).toBe(1 + pieces.join('').split('-->').length - 1);
});

property.prop([PIECES])('a text mentions nobody, hides nothing and commands nothing', (pieces) => {
  const text = harmlessText(pieces.join(''));
  expect(text).not.toMatch(/@[\p{L}\p{N}_-]/u);
  expect(text).not.toContain('<!--');
  expect(text).not.toMatch(/^\s*(?:>\s*)*\/\p{L}/mu);
  // nothing but invisible characters and the escaped sign is added
  const visible = text.replaceAll('\u2060', '').replaceAll('&lt;!--', '<!--');
  expect(visible).toBe(pieces.join('').replaceAll('\r\n', '\n').replaceAll(CONTROLS, ''));
  expect(harmlessText(text)).toBe(text);
});

test('titles and descriptions are one line of a limited length, and long texts are cut', () => {
  expect(harmlessTitle('  fix:\n\tthe @team ')).toBe('fix: the @\u2060team');
  expect(harmlessTitle('x'.repeat(300))).toHaveLength(250);
  expect(harmlessDescription('a\nb'.repeat(100))).toHaveLength(140);
  expect(harmlessText('x'.repeat(100_000))).toMatch(/^x{60000}\n\n\(cut\)$/);
  expect(isSameText('a\r\nb\n', 'a\nb')).toBe(true);
});
