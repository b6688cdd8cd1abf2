import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { AuditEvent } from '../../../activities/ledger/audit.ts';
import { createRefusalAudit } from '../../../client/gateway/refusal-audit.ts';

beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-11-30T10:00:00Z') }));
afterEach(() => void vi.useRealTimers());

test('a flood of one kind is two events a minute: the first at once, the others as a number', async () => {
  const events: AuditEvent[] = [];
  const audit = createRefusalAudit(async (event) => void events.push(event));
  for (let sent = 0; sent < 100_000; sent++) {
    const route = sent % 2 === 0 ? 'GET /v1/gates' : 'POST /webhooks/github';
    audit.count({ type: 'AuthenticationFailed', route, remote: `10.0.${sent % 256}.1`, actor: null });
  }
  const written = () => vi.advanceTimersByTimeAsync(0);
  await written();
  const known = { event_type: 'request.refused', resource_type: 'request', action: 'request', status: 'refused' };
  const stranger = { actor: 'unknown', authenticated_by: 'unauthenticated' };
  expect(events).toEqual([
    {
      ...known,
      ...stranger,
      resource_id: 'GET /v1/gates',
      details: {
        reason: 'AuthenticationFailed',
        requests: 1,
        routes: { 'GET /v1/gates': 1 },
        remotes: ['10.0.0.1'],
      },
    },
  ]);
  // a person is another kind: what strangers do hides nothing of it
  const ada = { name: 'ada', authenticatedBy: 'oidc' } as const;
  audit.count({ type: 'Forbidden', route: 'POST /v1/gates/:id/decisions', remote: '10.1.1.1', actor: ada });
  await written();
  expect(events[1]).toMatchObject({ ...known, actor: 'ada', authenticated_by: 'oidc' });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(events.slice(2)).toEqual([
    {
      ...known,
      ...stranger,
      resource_id: 'GET /v1/gates',
      details: {
        reason: 'AuthenticationFailed',
        since: '2026-11-30T10:00:00.000Z',
        requests: 99_999,
        routes: { 'GET /v1/gates': 49_999, 'POST /webhooks/github': 50_000 },
        remotes: Array.from({ length: 10 }, (_, at) => `10.0.${at + 1}.1`),
      },
    },
  ]);
  // the next minute begins with the next request
  audit.count({ type: 'AuthenticationFailed', route: 'GET /v1/gates', remote: '10.0.0.1', actor: null });
  await written();
  expect(events).toHaveLength(4);
});

test('a gateway that stops waits until everything that it counted is recorded', async () => {
  const events: AuditEvent[] = [];
  let isAllowed = (): void => undefined;
  const allowed = new Promise<void>((resolve) => void (isAllowed = resolve));
  const audit = createRefusalAudit(async (event) => {
    await allowed;
    events.push(event);
  });
  for (let sent = 0; sent < 3; sent++) {
    audit.count({ type: 'Forbidden', route: 'POST /sign-out', remote: '10.0.0.1', actor: null });
  }
  const closed = audit.close();
  isAllowed();
  await closed;
  expect(events.map(({ details }) => details?.['requests'])).toEqual([1, 2]);
});
