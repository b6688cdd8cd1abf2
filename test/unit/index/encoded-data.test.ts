import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { withoutEncodedData } from '../../../activities/index/analysis/encoded-data.ts';
import { answersInThread } from '../../support/answer-in-thread.ts';
import { realFiles } from './real-files.ts';

const base64 = (bytes: number): string => randomBytes(bytes).toString('base64');
const pem = (base64(1_200).match(/.{1,64}/g) ?? []).join('\n');

describe('encoded data is left out', () => {
  test.each([
    ['a long line of base64', `const icon = "${base64(3_000)}";\nuse(icon);\n`, 'const icon = "…";\nuse(icon);\n'],
    ['base64url', `key: ${base64(3_000).replaceAll('+', '-').replaceAll('/', '_')}\n`, 'key: …\n'],
    ['hexadecimal digits', `code = 0x${randomBytes(500).toString('hex')}\n`, 'code = …\n'],
    [
      'base64 with escaped ends of lines',
      `{"key": "-----BEGIN X-----\\n${pem.replaceAll('\n', '\\n')}"}\n`,
      '{"key": "-----BEGIN …"}\n',
    ],
    [
      'a data URI',
      `a { background: url(data:image/png;base64,${base64(900)}); color: red }\n`,
      'a { background: url(data:image/png;base64,…); color: red }\n',
    ],
    [
      'a data URI with escapes',
      `<img src='data:image/svg+xml;charset=utf-8,${'%3Csvg%20'.repeat(40)}' alt="x">`,
      `<img src='data:image/svg+xml;charset=utf-8,…' alt="x">`,
    ],
  ])('%s', (_, text, expected) => {
    expect(withoutEncodedData(text)).toBe(expected);
  });

  test('a block of base64 leaves its lines, so that line numbers stay', () => {
    const text = `-----BEGIN CERTIFICATE-----\n${pem}\n-----END CERTIFICATE-----\nnext\n`;
    const kept = withoutEncodedData(text);
    expect(kept.split('\n')).toHaveLength(text.split('\n').length);
    expect(kept.split(/\n+/)).toEqual(
      [
        '-----BEGIN CERTIFICATE-----',
        '…',
        expect.stringMatching(/^.{0,64}$/),
        '-----END CERTIFICATE-----',
        'next',
        '',
      ].filter((line) => typeof line === 'string' || (pem.split('\n').at(-1) ?? '').length < 60),
    );
  });

  test.each([
    ['a short data URI', 'url(data:image/gif;base64,R0lGODlhAQABAAAAACw=)'],
    ['a hash', `integrity: sha512-${'a1B2'.repeat(22)}==`],
    ['a ruler', '-'.repeat(400)],
    ['a long path', 'some/folder/of/a/project/'.repeat(30)],
    ['a few lines of base64', Array.from({ length: 4 }, () => base64(48)).join('\n')],
  ])('%s stays', (_, text) => {
    expect(withoutEncodedData(text)).toBe(text);
  });

  test('almost every real file stays as it is, with its lines', () => {
    const changed = realFiles({ most: 250, extensions: /\.(?:ts|js|c|h|rs|go|md)$/ }).filter(({ content }) => {
      const text = content.toString();
      const kept = withoutEncodedData(text);
      expect(kept.split('\n')).toHaveLength(text.split('\n').length);
      return kept !== text;
    });
    expect(changed.length).toBeLessThan(5);
  });

  test('answers for any text', async () => {
    const texts = [
      'a'.repeat(255).concat(' ').repeat(4_000),
      'data:a/b;'.repeat(100_000),
      'a\\n'.repeat(300_000),
      `data:x/y${';a=b'.repeat(200_000)}`,
    ];
    const module = new URL('../../../activities/index/analysis/encoded-data.ts', import.meta.url);
    expect(
      await answersInThread(
        module,
        'withoutEncodedData',
        texts.map((text) => [text]),
      ),
    ).toHaveLength(texts.length);
  });
});
