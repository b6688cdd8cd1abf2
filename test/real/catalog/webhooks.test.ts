import { rm } from 'node:fs/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { describe, expect } from 'vitest';
import { signalRepository } from '../../../activities/catalog/follow.ts';
import { startFlow } from '../../../client/core/start-flow.ts';
import { type Forge, startForge } from '../../support/forge.ts';
import { deliver, repositoryPayload, SECRET, signatureOf, startGateway } from '../../support/gateway.ts';
import { WEBHOOK_EXAMPLES } from '../../support/webhook-examples.ts';
import { LANES, push, test, indexed, followed, runsOf, outcomes, sumOf } from '../../support/catalog/webhooks.ts';

describe('webhooks', () => {
  test('a burst of twenty pushes becomes few syncs, and the last state is indexed', async ({ flows, gateway }) => {
    const { estate, client } = flows;
    await estate.create('acme/burst', { 'a.ts': LANES });
    await (await startFlow(client, 'onboardRepositories', { patterns: ['acme/*'] })).result();
    let last = '';
    for (let n = 0; n < 20; n++) {
      last = await estate.commit('acme/burst', { 'b.ts': `export const n = ${n};\n` });
      const { status, body } = await deliver(gateway.url, 'push', push('acme/burst'));
      expect({ status, body }).toMatchObject({ status: 202, body: { followed: ['local/acme/burst'] } });
    }
    await followed(flows, 'local/acme/burst');
    const runs = await runsOf(flows, 'local/acme/burst');
    expect(sumOf(runs, 'events')).toBe(20);
    expect(sumOf(runs, 'rounds')).toBeLessThan(10);
    expect(await indexed(flows, 'local/acme/burst')).toBe(last);
  });

  test('a sync that another run delays is not forgotten', async ({ flows, gateway }) => {
    const { estate, client } = flows;
    await estate.create('acme/api', { 'a.ts': LANES });
    await (await startFlow(client, 'onboardRepositories', { patterns: ['acme/*'] })).result();
    const files = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, at) => [`src/${at}.ts`, `export const v${at} = ${at};\n`]),
    );
    await estate.commit('acme/api', files);
    const other = await startFlow(client, 'syncRepository', { repository: 'local/acme/api' });
    const last = await estate.commit('acme/api', { 'b.ts': 'export const b = 1;\n' });
    await deliver(gateway.url, 'push', push('acme/api'));
    await other.result();
    expect(await followed(flows, 'local/acme/api')).toMatchObject({ events: 1, stage: 'done' });
    expect(await indexed(flows, 'local/acme/api')).toBe(last);
  });

  test('the same delivery counts once; other branches, tags and unknown repositories lead to nothing', async ({
    flows,
    gateway,
  }) => {
    const { estate, client, tools } = flows;
    await estate.create('acme/api', { 'a.ts': LANES });
    await (await startFlow(client, 'onboardRepositories', { patterns: ['acme/*'] })).result();
    await signalRepository(client, { repository: 'local/acme/api', quietSeconds: 10 }, [{ kind: 'pushed' }]);
    const headers = { 'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958' };
    for (let n = 0; n < 5; n++) await deliver(gateway.url, 'push', push('acme/api'), headers);
    expect(await followed(flows, 'local/acme/api')).toMatchObject({ events: 2, rounds: 1 });
    for (const ref of ['refs/heads/other', 'refs/tags/main', 'refs/notes/commits']) {
      expect(await deliver(gateway.url, 'push', repositoryPayload('acme/api', { ref }))).toMatchObject({
        status: 200,
        body: { ignored: expect.any(String) as string },
      });
    }
    await deliver(gateway.url, 'push', push('elsewhere/tool'));
    expect(await outcomes(gateway)).toEqual({ taken: 2, duplicate: 4, ignored: 3 });
    const page = await gateway.metrics.text();
    expect(page).toContain('longhaul_gateway_ignored_total{forge="github",reason="not-indexed"} 1');
    expect(page).toContain('longhaul_gateway_ignored_total{forge="github",reason="no-branch"} 2');
    expect(page).toContain('longhaul_gateway_ignored_total{forge="github",reason="other-event"} 0');
    await followed(flows, 'local/elsewhere/tool');
    expect((await tools.store.receipts()).map(({ repository }) => repository)).toEqual(['local/acme/api']);
  });

  test('every example of GitHub is handled or ignored without an error', async ({ flows, gateway }) => {
    const ids = new Set<string>();
    const answers = new Map<number, number>();
    let sent = 0;
    for (const { name, examples: payloads } of WEBHOOK_EXAMPLES) {
      for (const payload of payloads) {
        const { status, body } = await deliver(gateway.url, name, payload);
        for (const id of (body['followed'] ?? []) as string[]) ids.add(id);
        answers.set(status, (answers.get(status) ?? 0) + 1);
        sent++;
      }
    }
    expect(sent).toBe(329);
    expect(new Set(answers.keys())).toEqual(new Set([200, 202]));
    expect(answers.get(202)).toBeGreaterThan(8);
    for (const id of ids)
      await followed(flows, id).catch((error: unknown) => expect(error).toBeInstanceOf(WorkflowFailedError));
  });
});

describe('messages that are refused', () => {
  const body = JSON.stringify(push('acme/api'));
  const signed = (bytes: string | Buffer): Record<string, string> => ({
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-github-delivery': 'a-delivery',
    'x-hub-signature-256': signatureOf(bytes),
  });
  const without = (name: string): Record<string, string> => {
    const { [name]: _left, ...rest } = signed(body);
    return rest;
  };
  const reencoded = JSON.stringify(JSON.parse(body), null, 1);
  const form = `payload=${encodeURIComponent(body)}`;

  test('forged, altered, unsigned, too large, not JSON, another type: nothing is started, no secret is logged', async ({
    flows,
    gateway,
  }) => {
    const post = async (headers: Record<string, string>, sent: string | Buffer): Promise<number> => {
      const answer = await fetch(`${gateway.url}/webhooks/github`, {
        method: 'POST',
        headers,
        body: new Uint8Array(Buffer.from(sent)),
      });
      expect(await answer.json()).toMatchObject({ error: { type: expect.any(String) as string } });
      return answer.status;
    };
    expect(await post(without('x-hub-signature-256'), body)).toBe(401);
    expect(await post({ ...signed(body), 'x-hub-signature-256': 'sha256=00' }, body)).toBe(401);
    expect(await post({ ...signed(body), 'x-hub-signature-256': signatureOf(body, 'other') }, body)).toBe(401);
    expect(await post(signed(body), body.replace('main', 'mein'))).toBe(401);
    expect(await post(signed(body), reencoded)).toBe(401);
    expect(await post(signed(''), '')).toBe(400);
    expect(await post(signed('{"a"'), '{"a"')).toBe(400);
    expect(await post(signed(Buffer.from([0x22, 0xff, 0x22])), Buffer.from([0x22, 0xff, 0x22]))).toBe(400);
    expect(await post(without('x-github-event'), body)).toBe(400);
    const nameless = JSON.stringify({ ref: 'refs/heads/main' });
    expect(await post(signed(nameless), nameless)).toBe(422);
    expect(await post({ ...signed(body), 'content-type': 'text/plain' }, body)).toBe(415);
    expect(await post({ ...signed(body), 'content-type': 'multipart/form-data; boundary=a' }, body)).toBe(415);
    const large = `"${'a'.repeat(26_214_400)}"`;
    expect(await post(signed(large), large)).toBe(413);
    const asked = await fetch(`${gateway.url}/webhooks/gitlab`, { method: 'POST', headers: { 'x-gitlab-token': 'a' } });
    expect(asked.status).toBe(404);
    expect(flows.started).toEqual([]);
    expect(gateway.log()).toContain('"request_refused"');
    expect(gateway.log()).not.toContain(SECRET);
    expect(gateway.log()).not.toContain('acme');

    // as GitHub sends it when it is configured to send forms
    const answer = await fetch(`${gateway.url}/webhooks/github`, {
      method: 'POST',
      headers: { ...signed(form), 'content-type': 'application/x-www-form-urlencoded' },
      body: form,
    });
    expect(answer.status).toBe(202);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await outcomes(gateway)).toEqual({ refused: 13, taken: 1 });
    await followed(flows, 'local/acme/api');
  });

  test('a missing secret, or the same secret twice, is reported at the start', async ({ flows }) => {
    const { estate, client } = flows;
    const webhook = { provider: 'local', forge: 'github', secretEnv: 'NO_SUCH_SECRET' };
    await expect(startGateway(estate, client, { webhooks: [webhook] })).rejects.toThrow(/NO_SUCH_SECRET .* is not set/);
    await expect(startGateway(estate, client, { webhooks: [{ ...webhook, provider: 'none' }] })).rejects.toThrow(
      /there is no provider "none"/,
    );
    await expect(startGateway(estate, client, { webhooks: [{ ...webhook, forge: undefined }] })).rejects.toThrow(
      /set "forge"/,
    );
    await startFlow(client, 'syncRepositories', { all: true });
  });
});

describe('changes at a forge', () => {
  const forges = new Map<string, Forge>();
  test.override('webhooks', [{ provider: 'work', secretEnv: 'WEBHOOK_SECRET' }]);
  test.override('providers', async ({}, { onCleanup }) => async (root: string) => {
    const forge = await startForge(root);
    forges.set(root, forge);
    onCleanup(() => forge.close());
    return [{ name: 'work', type: 'github', url: forge.url }];
  });

  test('created, renamed, transferred, archived, unarchived, deleted: the index follows', async ({
    flows,
    gateway,
  }) => {
    const { estate, tools } = flows;
    const forge = forges.get(estate.root);
    if (!forge) throw new Error('no forge was started');
    const happens = async (action: string, name: string, changes: object = {}): Promise<string[]> => {
      const payload = repositoryPayload(name, { action, changes });
      const { status, body } = await deliver(gateway.url, 'repository', payload);
      expect(status).toBeLessThan(300);
      if (status === 202) await followed(flows, `work/${name}`);
      else expect(body).toHaveProperty('ignored');
      return (await tools.store.receipts()).map(({ repository }) => repository);
    };
    await estate.create('acme/web', { 'w.ts': LANES });
    await estate.create('acme/api', { 'a.ts': LANES });
    await estate.create('other/tool', { 'a.ts': LANES });
    expect(await happens('created', 'other/tool')).toEqual([]);
    expect(await happens('created', 'acme/web')).toEqual(['work/acme/web']);
    expect(await happens('created', 'acme/api')).toEqual(['work/acme/api', 'work/acme/web']);

    await forge.rename('acme/api', 'acme/interface');
    const renamed = await happens('renamed', 'acme/interface', { repository: { name: { from: 'api' } } });
    expect(renamed).toEqual(['work/acme/interface', 'work/acme/web']);

    await forge.rename('acme/interface', 'other/interface');
    const transferred = await happens('transferred', 'other/interface', {
      owner: { from: { organization: { login: 'acme' } } },
    });
    expect(transferred).toEqual(['work/acme/web', 'work/other/interface']);

    forge.archived.add('acme/web');
    expect(await happens('archived', 'acme/web')).toEqual(['work/other/interface']);
    forge.archived.delete('acme/web');
    expect(await happens('unarchived', 'acme/web')).toEqual(['work/acme/web', 'work/other/interface']);

    // a message that is older than the current repository
    expect(await happens('deleted', 'acme/web')).toEqual(['work/acme/web', 'work/other/interface']);
    // nor is an undeclared repository removed
    for (const late of ['archived', 'deleted']) {
      expect(await happens(late, 'other/interface')).toEqual(['work/acme/web', 'work/other/interface']);
    }
    await rm(estate.gitDir('other/interface'), { recursive: true });
    expect(await happens('deleted', 'other/interface')).toEqual(['work/acme/web']);
    // still to be seen
    expect(await happens('privatized', 'acme/web')).toEqual(['work/acme/web']);
    await estate.create('acme/api', { 'a.ts': LANES });
    await rm(estate.gitDir('acme/web'), { recursive: true });
    expect(await happens('privatized', 'acme/web')).toEqual([]);
  }, 240_000);
});
