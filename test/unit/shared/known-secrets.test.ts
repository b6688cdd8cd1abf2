import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { knowConfiguredSecrets } from '../../../activities/shared/configured-secrets.ts';
import { configSchema } from '../../../domain/config/config.schema.ts';
import { createSecretFinder, knowSecrets } from '../../../domain/shared/known-secrets.ts';
import { createStreamRedactor, redact, REDACTED } from '../../../domain/shared/redact.ts';

/** A value that is no other pattern's, with a mark so that no ordinary text contains it. */
const value = fc
  .string({ unit: 'grapheme', minLength: 8, maxLength: 60 })
  .filter((text) => text.trim() === text && !['\n', '\r', '\u001b', '\u009b'].some((sign) => text.includes(sign)))
  .map((text) => `§${text}`);

/** What programs do to a value before they print it. */
const FORMS: Readonly<Record<string, (secret: string) => string>> = {
  'as it is': (secret) => secret,
  'percent-encoded': encodeURIComponent,
  'percent-encoded as a form': (secret) => new URLSearchParams({ s: secret }).toString().slice(2),
  'percent-encoded in lower case': (secret) =>
    encodeURIComponent(secret).replaceAll(/%../g, (sign) => sign.toLowerCase()),
  'in JSON': (secret) => JSON.stringify(secret),
  'in JSON in JSON': (secret) => JSON.stringify(JSON.stringify(secret)),
  'in base64': (secret) => Buffer.from(secret).toString('base64'),
  'in base64 after one byte': (secret) => Buffer.from(`:${secret}`).toString('base64'),
  'in base64 between others': (secret) => Buffer.from(`ab${secret}cd`).toString('base64url'),
  'in base64 of several lines': (secret) =>
    Buffer.from(`user:${secret}:end`)
      .toString('base64')
      .replaceAll(/.{16}/g, (line) => `${line}\r\n`),
};

test('a secret in the middle of megabytes is replaced, and nothing else is changed', () => {
  const secret = 'a secret of the middle';
  knowSecrets([secret]);
  const redactor = createStreamRedactor();
  const line = `${'ordinary text '.repeat(5)}\n`;
  let left = '';
  for (let at = 0; at < 20_000; at++) left += redactor.push(at % 1_000 === 500 ? `${secret}\n` : line);
  left += redactor.end();
  expect(left.split(REDACTED)).toHaveLength(21);
  expect(left.replaceAll(`${REDACTED}\n`, '')).toBe(line.repeat(19_980));
});

describe.each(Object.entries(FORMS))('a known secret %s', (_, form) => {
  property.prop([value, fc.array(fc.nat(200), { minLength: 1, maxLength: 4 })], { numRuns: 15 })(
    'is replaced wherever the text is cut',
    (secret, cuts) => {
      knowSecrets([secret]);
      const text = `before ${form(secret)} behind`;
      const redactor = createStreamRedactor();
      const places = [0, ...cuts.map((cut) => cut % text.length).sort((a, b) => a - b), text.length];
      const pieces = places.slice(1).map((to, at) => text.slice(places[at], to));
      const left = pieces.map((piece) => redactor.push(piece)).join('') + redactor.end();
      expect(left).toContain(REDACTED);
      expect(left.startsWith('before ') && left.endsWith(' behind')).toBe(true);
      // of the value nothing is left, apart from bytes that share a base64 digit with others
      expect(left.length).toBeLessThan(`before ${REDACTED} behind`.length + 26);
      expect(redact(text)).toBe(left);
      const finder = createSecretFinder();
      if (!form(secret).includes('\\')) expect(pieces.some((piece) => finder.push(piece))).toBe(true);
    },
  );
});

test('the secrets of a configuration are known: tokens, keys, and passwords in addresses; names and short values are not', () => {
  const config = configSchema.parse({
    providers: [
      { name: 'work', type: 'bitbucket', workspaces: ['acme'], usernameEnv: 'WHO', tokenEnv: 'FORGE' },
      { name: 'all', type: 'mgit', passEnv: ['MGIT_TOKEN', 'MGIT_HOME'] },
    ],
    weaviate: { apiKeyEnv: 'VECTORS' },
    pipelines: { secrets: { NPM_TOKEN: { valueEnv: 'NPM', repositories: ['work/*'] } } },
  });
  const values = {
    FORGE: 'value of the forge',
    MGIT_TOKEN: 'value for mgit',
    VECTORS: 'value for weaviate',
    NPM: 'value for npm\nwith a second line',
    TEMPORAL_API_KEY: 'value for temporal',
    AWS_SECRET_ACCESS_KEY: 'value for the bucket',
  };
  const open = { WHO: 'ada@example.com', MGIT_HOME: '/home/of-mgit', AWS_ACCESS_KEY_ID: 'short' };
  const addresses = {
    DATABASE_URL: 'postgres://ada:pass%40word%21@db/longhaul',
    DATABASE_GATES_URL: 'postgres://gates:password-of-gates@db/longhaul',
  };
  knowConfiguredSecrets(config, { ...values, ...open, ...addresses });
  for (const text of [...Object.values(values), 'with a second line', 'pass@word!', 'password-of-gates']) {
    expect(redact(`it is ${text.replaceAll('\n', ' / ')}.`)).not.toContain(text.split('\n')[0]);
  }
  for (const text of Object.values(open)) expect(redact(`it is ${text}.`)).toBe(`it is ${text}.`);
});
