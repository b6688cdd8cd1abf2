import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test, vi } from 'vitest';

// other files of this process know secrets, each of which takes time
vi.resetModules();
const { REDACTED, redact } = await import('../../../domain/shared/redact.ts');

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'.split('');
const BASE64 = [...ALPHANUMERIC, '+', '/'];
const word = (length: number, characters = ALPHANUMERIC) =>
  fc.string({ unit: fc.constantFrom(...characters), minLength: length, maxLength: length });
const after = (prefixes: readonly string[], rest: fc.Arbitrary<string>) =>
  fc.tuple(fc.constantFrom(...prefixes), rest).map(([prefix, text]) => prefix + text);

const token = fc.oneof(
  after(['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], word(36)),
  after(
    ['github_pat_'],
    fc.tuple(word(22), word(59)).map((parts) => parts.join('_')),
  ),
  after(['glpat-'], word(20)),
  after(
    ['ATATT3x', 'ATCTT3x'],
    word(180).map((text) => `${text}=1A2B3C4D`),
  ),
  after(
    ['sk-', 'sk-proj-', 'sk-ant-api03-'],
    word(40).map((text) => `${text}7`),
  ),
  after(['AKIA'], word(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.split(''))),
  after(['xoxb-', 'xoxp-', 'xoxa-'], word(24)),
  fc.tuple(word(30), word(60), word(43)).map(([head, body, sign]) => `eyJ${head}.eyJ${body}.${sign}`),
);
const privateKey = fc
  .tuple(fc.constantFrom('RSA ', 'OPENSSH ', 'EC ', ''), fc.array(word(64, BASE64), { minLength: 1, maxLength: 4 }))
  .map(([kind, lines]) => `-----BEGIN ${kind}PRIVATE KEY-----\n${lines.join('\n')}\n-----END ${kind}PRIVATE KEY-----`);
const prose = fc.constantFrom('', 'git fetch failed: ', 'a "quoted" text\n', 'path C:\\new\\table ', ' fin.', '(x) ');
const colours = fc.array(fc.constantFrom('\u001b[0m', '\u001b[1;31m', '\u009b4m', '\u001b[38;5;12m'), { maxLength: 3 });
const levels = fc.integer({ min: 0, max: 3 });

function escaped(text: string, times: number): string {
  return times === 0 ? text : escaped(JSON.stringify(text), times - 1);
}

function unescaped(text: string, times: number): string {
  return times === 0 ? text : unescaped(JSON.parse(text) as string, times - 1);
}

/** The text with colour codes somewhere in it. */
function coloured(text: string, codes: readonly string[], places: readonly number[]): string {
  // from the right, so that no code is inserted into another
  const sorted = places.map((place) => place % (text.length + 1)).sort((a, b) => b - a);
  return codes.reduce((left, code, index) => {
    const at = sorted[index] ?? 0;
    return left.slice(0, at) + code + left.slice(at);
  }, text);
}

describe('a text without its secrets', () => {
  property.prop([token, prose, prose, levels], { numRuns: 500 })('has no token', (secret, before, behind, times) => {
    const left = unescaped(redact(escaped(`${before}${secret} ${behind}`, times)), times);
    expect(left).toBe(`${before}${REDACTED} ${behind}`);
  });

  property.prop([token, colours, fc.array(fc.nat(200), { minLength: 3, maxLength: 3 }), levels], { numRuns: 500 })(
    'has no token, even with colour codes',
    (secret, codes, places, times) => {
      const text = coloured(`say ${secret} now`, codes, places);
      const left = unescaped(redact(escaped(text, times)), times);
      // oxlint-disable-next-line no-control-regex -- the codes that were put in
      expect(left.replaceAll(/\u001b\[[\d;]*m|\u009b4m/g, '')).toBe(`say ${REDACTED} now`);
    },
  );

  property.prop([privateKey, prose, levels], { numRuns: 300 })('has no private key', (secret, before, times) => {
    expect(unescaped(redact(escaped(`${before}${secret}\nend`, times)), times)).toBe(`${before}${REDACTED}\nend`);
  });

  property.prop([fc.webUrl(), word(12), word(12), levels], { numRuns: 300 })(
    'has no credentials in URLs',
    (url, user, password, times) => {
      const secret = url.replace('://', `://${user}:${password}@`);
      expect(unescaped(redact(escaped(secret, times)), times)).toBe(url.replace('://', `://${REDACTED}@`));
    },
  );

  property.prop([fc.jsonValue(), token, privateKey])('is still JSON if it was', (value, secret, key) => {
    const line = JSON.stringify({ value, error: `"${secret}": ${key}`, more: [key, secret, `https://${secret}@host`] });
    const left = JSON.parse(redact(line)) as { error: string; more: string[] };
    expect(left.error).toBe(`"${REDACTED}": ${REDACTED}`);
    expect(left.more).toEqual([REDACTED, REDACTED, `https://${REDACTED}@host`]);
  });

  property.prop([fc.string({ unit: 'binary' }), token, fc.string()])(
    'is unchanged by a second pass',
    (a, secret, b) => {
      const once = redact(`${a} ${secret}${b}`);
      expect(redact(once)).toBe(once);
      expect(once).not.toContain(secret);
    },
  );
});

test.for([
  'ssh://git@github.com/acme/api.git',
  'https://github.com/acme/sk-learn-contributions-of-all-sorts',
  'acme/task-force-one-of-many-names 3f786850e387550fdab836ed7e6dc881de23001b',
  'sync/work/acme/api: git fetch failed: timeout',
  'basic internationalization, mail to someone@example.com',
  '{"repo":"acme/api","path":"C:\\\\new\\\\table","error":"no \\"x\\""}',
  '\u001b[31mred\u001b[0m',
])('%j has no secret in it', (text) => {
  expect(redact(text)).toBe(text);
});

test.for(['eyJ', 'sk-', '-----BEGIN RSA PRIVATE KEY-----\n', ' ', 'basic ', 'a:', 'https://', '\\', '\u001b[', 'gh'])(
  'two hundred thousand characters of %j are fast',
  (part) => {
    const text = part.repeat(Math.ceil(200_000 / part.length));
    const started = process.cpuUsage();
    redact(text);
    redact(JSON.stringify(text));
    const { user, system } = process.cpuUsage(started);
    expect(user + system, 'microseconds of processor time').toBeLessThan(10_000_000);
  },
);

test.for([
  ['a key that was cut off', `-----BEGIN RSA PRIVATE KEY-----\n${'QUJD'.repeat(16)}\n${'QUJD'.repeat(9)}`, REDACTED],
  ['a header', 'authorization: Bearer abcDEF123456789012345 x', `authorization: Bearer ${REDACTED} x`],
  [
    'a key of the gateway',
    `unknown field "lh_0123456789ab_${'aB3-'.repeat(10)}abc"`,
    `unknown field "lh_0123456789ab_${REDACTED}"`,
  ],
  ['a key of the gateway in a header', `Bearer lh_0123456789ab_${'aB3-'.repeat(10)}abc`, `Bearer ${REDACTED}`],
  [
    'the address of a Slack webhook',
    'https://hooks.slack.com/services/T0000/B0000/abcdefgh12345678 x',
    `https://hooks.slack.com/${REDACTED} x`,
  ],
  ['a token as user', 'https://abc@host/p?q=1@2', `https://${REDACTED}@host/p?q=1@2`],
  ['a password with @', 'postgres://me:p@ss@host/db', `postgres://${REDACTED}@host/db`],
  ['a token glued to a word', `tokenghp_${'a'.repeat(36)}`, `token${REDACTED}`],
] as const)('%s', ([, text, left]) => {
  expect(redact(text)).toBe(left);
});
