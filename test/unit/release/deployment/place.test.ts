import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { problemOfCandidate, problemOfEnvironment } from '../../../../activities/release/deployment/allowed-context.ts';
import { environmentsFile } from '../../../../domain/release/contracts/environments.schema.ts';
import { configSchema } from '../../../../domain/config/config.schema.ts';
import { askPrometheus } from '../../../../activities/release/deployment/prometheus.ts';
import { contextsOf } from '../../../../domain/release/deployment/service-place.ts';
import { problemOfVersions } from '../../../../domain/release/deployment/environment-check.ts';

describe('a context', () => {
  const prometheus = 'http://prometheus:9090';
  const contexts = {
    staging: {
      repositories: ['work/acme/*'],
      addresses: [prometheus, 'https://api.shop'],
      candidates: true,
      retired: false,
    },
    eu: { repositories: ['work/acme/*'], addresses: ['https://eu.shop'], candidates: false, retired: false },
    gone: { repositories: ['work/acme/*'], addresses: [], candidates: true, retired: true },
  };

  /** An environment of this context, as its contract has it. */
  function environmentOf(
    context: string,
    asked: { readonly prometheus?: string; readonly http?: string; readonly own?: string } = {},
  ) {
    const health = asked.http === undefined ? [] : [{ name: 'page', http: asked.http }];
    const metrics = asked.prometheus && { prometheus: asked.prometheus, requests: { query: 'x' } };
    const own = asked.own === undefined ? {} : { context: asked.own };
    const services = { db: { manifests: { folder: 'db' } }, api: { ...own, manifests: { folder: 'k8s' }, health } };
    const [environment] = environmentsFile.parse({
      environments: [{ name: 'staging', context, namespace: 'shop', services, ...(metrics ? { metrics } : {}) }],
    }).environments;
    if (environment === undefined) throw new Error('no environment');
    return environment;
  }

  test.each([
    ['no address', {}],
    ['an allowed Prometheus', { prometheus: `${prometheus}/prefix` }],
    ['an allowed server', { http: 'https://api.shop:443/health?deep=1' }],
  ])('may be used by the repositories that the worker allows: %s', (_what, asked) => {
    expect(problemOfEnvironment(contexts, 'work/acme/api', environmentOf('staging', asked))).toBeNull();
    expect(problemOfEnvironment(contexts, 'Work/Acme/API', environmentOf('staging', asked))).toBeNull();
  });

  test.each([
    ['another repository', 'work/other/api', environmentOf('staging'), 'use the context staging'],
    ['a context that is not listed', 'work/acme/api', environmentOf('production'), 'use the context production'],
    ['a name of every object', 'work/acme/api', environmentOf('constructor'), 'use the context constructor'],
  ])('is refused to %s', (_what, repository, environment, message) => {
    expect(problemOfEnvironment(contexts, repository, environment)).toContain(message);
  });

  test.each([
    [{ prometheus: 'http://169.254.169.254/latest' }, 'http://169.254.169.254'],
    [{ prometheus: 'http://prometheus:9091' }, 'http://prometheus:9091'],
    [{ prometheus: 'https://prometheus:9090' }, 'https://prometheus:9090'],
    [{ http: 'https://api.shop.evil.example/' }, 'https://api.shop.evil.example'],
    [{ http: 'https://evil.example/?https://api.shop' }, 'https://evil.example'],
    [{ http: 'https://evil.example\\.api.shop/' }, 'https://evil.example'],
  ])('does not let its environments ask other servers: %j', (asked, origin) => {
    expect(problemOfEnvironment(contexts, 'work/acme/api', environmentOf('staging', asked))).toBe(
      `The worker does not let environments of the context staging ask ${origin}: allow it in deploy.contexts.staging.addresses of its longhaul.yaml.`,
    );
  });

  test.each([
    ['may be used by those of its own that the worker allows', 'eu', 'https://eu.shop/health', 'allowed'],
    ['is refused for those that it does not', 'asia', undefined, 'use the context asia'],
    [
      'does not get the addresses of the environment',
      'eu',
      'https://api.shop/health',
      'of the context eu ask https://api.shop',
    ],
    ['is refused when it is retired', 'gone', undefined, 'The context gone is retired'],
  ])('of a service %s', (_what, own, http, message) => {
    const asked = { own, ...(http === undefined ? {} : { http }) };
    const problem = problemOfEnvironment(contexts, 'work/acme/api', environmentOf('staging', asked));
    expect(problem ?? 'allowed').toContain(message);
  });

  test('is refused to commits that are not released unless all of them are allowed', () => {
    const of = (own?: string) => contextsOf(environmentOf('staging', own === undefined ? {} : { own }));
    expect(problemOfCandidate(contexts, of())).toBeNull();
    expect(problemOfCandidate(contexts, of('eu'))).toContain('deploy.contexts.eu.candidates');
  });

  test('has no address that is none', () => {
    const asked = { prometheus: 'http://prometheus:9090.evil.example/' };
    expect(() => environmentOf('staging', asked)).toThrow('must be an address');
  });

  const configured = (address: string) =>
    configSchema.parse({
      deploy: { contexts: { staging: { repositories: ['work/acme/*'], addresses: [address], candidates: false } } },
    });

  test('is configured with scheme, host and port of servers', () => {
    const { contexts: parsed } = configured('http://Prometheus.example:80/').deploy;
    expect(parsed['staging']?.addresses).toEqual(['http://prometheus.example']);
  });

  test.each([
    ['http://prometheus:9090/prefix', 'give scheme, host and port alone'],
    ['prometheus:9090', 'Invalid URL'],
    ['http://user:word@prometheus', 'without user, password'],
  ])('is not configured with %s', (address, message) => {
    expect(() => configured(address)).toThrow(message);
  });
});

describe('versions of kubectl and of a cluster', () => {
  test.each([
    ['1.33.1', '1.33.13', true],
    ['1.32.4', '1.33.13', true],
    ['1.34.0', '1.33.13', true],
    ['1.31.0', '1.33.13', false],
    ['2.33.0', '1.33.13', false],
    ['unknown', '1.33.13', false],
  ])('%s and %s', (kubectl, cluster, isNear) => {
    expect(problemOfVersions(kubectl, cluster) === null).toBe(isNear);
  });
});

describe('a query', () => {
  async function ask(answer: RequestListener): Promise<unknown> {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    return askPrometheus(`http://127.0.0.1:${port}`, 'up', new AbortController().signal);
  }
  const json =
    (value: unknown, status = 200): RequestListener =>
    (_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
  const vector = (...values: readonly string[]): RequestListener =>
    json({ status: 'success', data: { resultType: 'vector', result: values.map((value) => ({ value: [1, value] })) } });

  test('has one number as its result', async () => {
    expect(await ask(vector('0.25'))).toBe(0.25);
    expect(await ask(json({ status: 'success', data: { resultType: 'scalar', result: [1, '3'] } }))).toBe(3);
  });

  test.each<[string, RequestListener, string]>([
    ['no sample', vector(), 'no sample'],
    ['two samples', vector('1', '2'), '2 samples'],
    ['not a number', vector('NaN'), 'the result is NaN'],
    ['an infinite number', vector('+Inf'), 'the result is +Inf'],
    ['an error of the query', json({ status: 'error', error: 'parse error' }, 400), 'parse error'],
    ['an error of the server', (_request, response) => void response.writeHead(503).end('down'), '503'],
    ['another page', (_request, response) => void response.end('<html>'), 'not one of Prometheus'],
    [
      'another address',
      (_request, response) => void response.writeHead(302, { location: '/' }).end(),
      'did not answer',
    ],
    [
      'an answer without end',
      (_request, response) => void response.end('x'.repeat(2_000_000)),
      'more than 1000000 bytes',
    ],
    ['a connection that breaks', (request) => void request.destroy(), 'did not answer'],
  ])('that has no data says why: %s', async (_what, answer, why) => {
    expect(await ask(answer)).toEqual({ none: expect.stringContaining(why) as string });
  });
});
