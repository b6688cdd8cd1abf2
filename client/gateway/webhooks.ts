import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Client } from '@temporalio/client';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { logProcess } from '../../activities/shared/logger.ts';
import { startOptions } from '../../activities/shared/start-options.ts';
import { inSpan } from '../../activities/telemetry/span.ts';
import type { Deliveries, Delivery } from '../../domain/forge/repository-event.ts';
import {
  IGNORED_REASONS,
  type IgnoredReason,
  textAt,
  type Push,
  type RepositoryChange,
  type WebhookPlace,
} from '../../domain/forge/webhook/action.ts';
import { type Forge, FORGES, forgeOf, idOfChange, webhookAction } from '../../domain/forge/webhook.ts';
import type { Config } from '../../domain/config/config.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { createBodies } from './bodies.ts';
import type { GatewayMetrics } from './metrics.ts';
import { createOutbox } from './outbox.ts';
import { createRecent } from './seen-deliveries.ts';
import { Refusal } from './refusal.ts';
import { headerOf, SIGNING } from './signature.ts';
import { takeDeliveriesFlow } from '../../domain/catalog/flows/follow-flows.ts';
import { rememberedGroups, repositoryFilter, branchFilter } from './repository-filter.ts';
import { sha256 } from '../../platform/sha256.ts';

/** Forges give up after ten seconds; a message may wait for another request and then for its own. */
const DEADLINE_MS = 4_500;
/** Number of recognised deliveries: those that forges send within minutes, at a hundred per second. */
const REMEMBERED = 10_000;

/** Bodies up to this size, which are nearly all, are always accepted. */
const SMALL_BYTES = 256 * 1024;
/** Limit for all other bodies in progress: ten of the largest. */
const MOST_BYTES = 256 * 1024 * 1024;

/** Dependencies of the webhooks. */
export interface WebhookTools {
  readonly config: Config;
  readonly client: Client;
  readonly env: NodeJS.ProcessEnv;
  /** Called with the result of every message. */
  readonly metrics: GatewayMetrics;
  /** Starts what pushes may prove. Returns the workflow ids. */
  readonly provePushes: (client: Client, pushes: readonly Push[]) => Promise<readonly string[]>;
}

/** A configured sender of webhooks. */
interface Sender {
  readonly provider: string;
  readonly secret: string;
  /** True when its archived repositories are in the index. */
  readonly keepsArchived: boolean;
  readonly place: WebhookPlace;
}

/**
 * `POST /webhooks/<forge>` for each forge with a webhook in `longhaul.yaml`. A message is parsed only after its
 * signature over the received bytes is verified. Answered when Temporal has it: 202; 200 when there is nothing to do;
 * 422 when it reports a change of a repository that it does not name in a way that is understood.
 * Throws `AuthenticationFailed` when a secret is not in the environment, `InvalidConfiguration` when two are the same.
 */
export async function serveWebhooks(server: FastifyInstance, tools: WebhookTools): Promise<void> {
  const senders = sendersByForge(tools);
  const { client, config, metrics, provePushes } = tools;
  const groups = rememberedGroups(client, config.index.name);
  const matchesRepository = repositoryFilter(config, groups);
  const matchesBranches = branchFilter(config, groups);
  const { maxWebhookBytes, quietSeconds } = config.gateway;
  const outbox = createOutbox<Delivery>((deliveries) =>
    client.withDeadline(Date.now() + DEADLINE_MS, () => handOver(client, deliveries)),
  );
  // the raw bytes, because the signature covers them
  server.removeAllContentTypeParsers();
  const receive = createBodies({ largest: maxWebhookBytes, small: SMALL_BYTES, most: MOST_BYTES });
  server.addContentTypeParser(
    ['application/json', 'application/x-www-form-urlencoded'],
    { bodyLimit: maxWebhookBytes },
    async (_request: FastifyRequest, body: Readable) => receive(body),
  );

  /** Passes a message on to the flows of all its repositories. Returns their ids. */
  async function follow(sender: Sender, changes: readonly RepositoryChange[], delivery: string): Promise<string[]> {
    const { provider, keepsArchived } = sender;
    const counting = changes.filter(({ kind }) => kind !== 'archived' || !keepsArchived);
    const signal = async ({ kind, name, from, branches }: RepositoryChange): Promise<string[]> => {
      const id = idOfChange(provider, name);
      const former = from === undefined ? undefined : idOfChange(provider, from);
      if (id === null || former === null) throw unclear('it names a repository that no id can name');
      if (branches !== undefined && !(await matchesBranches(id, branches))) return [];
      const membership = kind === 'pushed' || kind === 'hidden' ? {} : { wanted: await matchesRepository(id) };
      // not indexed, and no configuration asks for it
      if (kind === 'appeared' && !membership.wanted) return [];
      const event = { kind, delivery, ...membership, ...(former === undefined ? {} : { from: former }) };
      await outbox({ repository: id, quietSeconds, event });
      return [id];
    };
    return (await Promise.all(counting.map(signal))).flat();
  }

  for (const forge of FORGES) {
    const known = senders.get(forge);
    if (known === undefined) continue;
    const { claim, proves } = SIGNING[forge];
    const taken = createRecent(REMEMBERED);
    metrics.expect(forge);
    server.route({
      method: 'POST',
      url: `/webhooks/${forge}`,
      // a request without a credential is refused before its body is read
      onRequest: async ({ headers }) => {
        if (claim(headers) === null) throw unsigned();
      },
      onResponse: async (_request, { statusCode }) => {
        if (statusCode >= 400) metrics.delivered(forge, statusCode < 500 ? 'refused' : 'failed');
      },
      handler: async (request: FastifyRequest, reply) => {
        const { headers } = request;
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const claimed = claim(headers) ?? '';
        // all secrets are checked, so that the time does not reveal which one matched
        const [sender] = known.filter(({ secret }) => proves(claimed, body, secret));
        if (sender === undefined) throw unsigned();
        const payload = parsed(body, headers);
        const event = eventOf(forge, headers);
        const delivery = deliveryOf(headers, payload, body);
        const action = webhookAction(forge, event, payload, sender.place);
        if (action.do === 'refuse') throw unclear(action.why);
        // the trace that continues in the flows starts here
        const about = { 'longhaul.forge': forge, 'longhaul.event': event, 'longhaul.delivery': delivery };
        const followed =
          action.do === 'follow'
            ? await inSpan(`webhook ${forge}`, about, () => follow(sender, action.changes, delivery))
            : [];
        const isProving = action.do === 'follow' && config.release.onPush;
        const proving = isProving
          ? await client.withDeadline(Date.now() + DEADLINE_MS, () =>
              provePushes(client, pushesOf(sender, action.changes)),
            )
          : [];
        const isActedOn = followed.length > 0 || proving.length > 0;
        const why: IgnoredReason = action.do === 'ignore' ? action.why : 'not-indexed';
        const done = { followed, ...(proving.length === 0 ? {} : { proving }) };
        const result = isActedOn ? done : { ignored: IGNORED_REASONS[why] };
        const outcome = !isActedOn ? 'ignored' : taken.has(delivery) ? 'duplicate' : 'taken';
        if (outcome === 'taken') taken.add(delivery);
        metrics.delivered(forge, outcome);
        if (outcome === 'ignored') metrics.ignored(forge, why);
        const { provider } = sender;
        const said = { forge, provider, kind: event, delivery, outcome, ...result };
        logProcess(request.log, 'webhook_accepted', said, 'webhook accepted');
        return reply.code(isActedOn ? 202 : 200).send({ delivery, ...result });
      },
    });
  }
}

/**
 * Passes deliveries to the flow that takes them, and starts it unless it runs: one request, after which nothing is
 * lost.
 */
async function handOver(client: Client, deliveries: readonly Delivery[]): Promise<void> {
  await client.workflow.signalWithStart<(input: object) => Promise<unknown>, [Deliveries]>(takeDeliveriesFlow.type, {
    ...startOptions(takeDeliveriesFlow, {}),
    signal: 'deliveries',
    signalArgs: [{ deliveries }],
  });
}

function sendersByForge({ config, env }: WebhookTools): Map<Forge, Sender[]> {
  const senders = new Map<Forge, Sender[]>();
  for (const { provider: name, forge: given, secretEnv } of config.gateway.webhooks) {
    const provider = config.providers.find((one) => one.name === name);
    const forge = given ?? forgeOf(provider?.type ?? '');
    if (provider === undefined || forge === null) continue;
    const secret = env[secretEnv] ?? '';
    if (secret === '') {
      throw new LonghaulError(
        'AuthenticationFailed',
        `The environment variable ${secretEnv} of the webhooks of ${name} is not set.`,
      );
    }
    const others = senders.get(forge) ?? [];
    if (others.some((other) => other.secret === secret)) {
      throw new LonghaulError(
        'InvalidConfiguration',
        `gateway.webhooks: ${name} has the same secret as another provider: use a different secret for each.`,
      );
    }
    const keepsArchived = 'archived' in provider && provider.archived;
    const place = {
      url: 'url' in provider ? provider.url : null,
      organizations: 'organizations' in provider ? provider.organizations : [],
    };
    senders.set(forge, [...others, { provider: name, secret, keepsArchived, place }]);
  }
  return senders;
}

/** The heads that a message says to have been pushed. */
function pushesOf({ provider }: Sender, changes: readonly RepositoryChange[]): readonly Push[] {
  return changes.flatMap(({ name, heads = [] }) => {
    const repository = idOfChange(provider, name);
    if (repository === null) throw unclear('it names a repository that no id can name');
    return heads.map((head) => ({ repository, ...head }));
  });
}

/** The forge shows the answer on the page of its webhook, and the metrics count it: it is not lost silently. */
function unclear(why: string): Refusal {
  return new Refusal(422, 'InvalidInput', `The message reports a change, but ${why}.`);
}

function unsigned(): Refusal {
  return new Refusal(401, 'AuthenticationFailed', 'The signature is missing or wrong.');
}

/** The JSON of a body; GitHub and Gitea may send it as the field `payload` of a form. */
function parsed(body: Buffer, { 'content-type': type = '' }: IncomingHttpHeaders): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    const isForm = type.toLowerCase().startsWith('application/x-www-form-urlencoded');
    return JSON.parse(isForm ? (new URLSearchParams(text).get('payload') ?? '') : text) as unknown;
  } catch {
    throw new Refusal(400, 'InvalidInput', 'The body is not JSON.');
  }
}

const EVENT_HEADERS: Readonly<Record<Forge, readonly string[]>> = {
  github: ['x-github-event'],
  gitea: ['x-gitea-event', 'x-forgejo-event', 'x-github-event'],
  gitlab: ['x-gitlab-event'],
  bitbucket: ['x-event-key'],
  // the event is in the message
  'azure-devops': [],
};

function eventOf(forge: Forge, headers: IncomingHttpHeaders): string {
  const names = EVENT_HEADERS[forge];
  const event = headerOf(headers, ...names);
  if (event === null && names.length > 0) {
    throw new Refusal(400, 'InvalidInput', `The header ${names.join(' or ')} is missing.`);
  }
  return event?.slice(0, 100) ?? '';
}

const DELIVERY_HEADERS = [
  'x-github-delivery',
  'x-gitea-delivery',
  'x-forgejo-delivery',
  // the same for every attempt; events caused by one event share its UUID
  'idempotency-key',
  'x-gitlab-event-uuid',
  'x-request-uuid',
];

/** The forge's id of a message: the same when it sends it again. */
function deliveryOf(headers: IncomingHttpHeaders, payload: unknown, body: Buffer): string {
  const given = headerOf(headers, ...DELIVERY_HEADERS) ?? textAt(payload, 'id');
  return given !== null && /^[\w.:{}-]{1,200}$/.test(given) ? given : sha256(body).slice(0, 32);
}
