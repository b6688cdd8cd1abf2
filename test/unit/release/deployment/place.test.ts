import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { problemOfContext } from '../../../../activities/release/deployment/allowed-context.ts';
import { askPrometheus } from '../../../../activities/release/deployment/prometheus.ts';
import { problemOfVersions } from '../../../../domain/release/deployment/environment-check.ts';

describe('a context', () => {
  const prometheus = 'http://prometheus:9090';
  const contexts = { staging: { repositories: ['work/acme/*'], prometheus: [prometheus] } };
  const metrics = { prometheus, interval: 15, requests: { query: 'x', least: 20 } };

  test('may be used by the repositories that the worker allows, which may ask its Prometheus', () => {
    expect(problemOfContext(contexts, 'work/acme/api', { context: 'staging' })).toBeNull();
    expect(problemOfContext(contexts, 'Work/Acme/API', { context: 'staging', metrics })).toBeNull();
  });

  test.each([
    ['another repository', 'work/other/api', { context: 'staging' }, 'use the context staging'],
    ['a context that is not listed', 'work/acme/api', { context: 'production' }, 'use the context production'],
    ['a name of every object', 'work/acme/api', { context: 'constructor' }, 'use the context constructor'],
    [
      'another Prometheus',
      'work/acme/api',
      { context: 'staging', metrics: { ...metrics, prometheus: 'http://169.254.169.254' } },
      'ask http://169.254.169.254',
    ],
  ])('is refused to %s', (_what, repository, environment, message) => {
    expect(problemOfContext(contexts, repository, environment)).toContain(message);
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
