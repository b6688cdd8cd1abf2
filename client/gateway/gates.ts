import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { openGates, readGate } from '../../activities/gates/read-gates.ts';
import type { Actor } from '../../domain/shared/actor.ts';
import { recordDelegation } from '../../activities/gates/record-delegation.ts';
import { ledgerFailure } from '../../activities/ledger/ledger-failure.ts';
import { logProcess } from '../../activities/shared/logger.ts';
import { check, describeIssue } from '../../domain/shared/check.schema.ts';
import { decideGate, type GateDesk } from '../core/decide-gate.ts';
import { Refusal } from './refusal.ts';
import type { Sessions } from './sessions.ts';

/** The body of a decision. */
export const decisionBody = z.strictObject({
  verdict: z.enum(['approve', 'reject', 'revoke']),
  why: z.string().trim().min(1, 'say why').max(2_000),
  /** Digest of what the person saw. */
  digest: z.string().min(1).max(200),
  /** The person in whose place it is decided; default: the own place, else that of a person who delegated. */
  onBehalfOf: z.string().max(200).optional(),
  /** For a request with a session instead of an API key. */
  formToken: z.string().max(200).optional(),
});

/** The body of a delegation. */
export const delegationBody = z.strictObject({
  /** Name or address of a person. */
  delegate: z.string().min(1).max(200),
  /** ISO 8601. */
  until: z.string().min(1).max(40),
  formToken: z.string().max(200).optional(),
});

/** Dependencies of the gates' part of the gateway. */
export interface GatesTools {
  /** Null without a ledger. */
  readonly desk: (GateDesk & { /** Address of the ledger, for messages. */ readonly url: string }) | null;
  readonly sessions: Sessions;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The person who sends it; set before anything else happens. */
    person: Actor | null;
  }
}

/**
 * Gates for people, below `/v1`, with the API key of a person or a session: list and read them, decide,
 * delegate; and who a request is from, with a token for a form.
 */
export async function serveGates(server: FastifyInstance, { desk, sessions }: GatesTools): Promise<void> {
  server.removeContentTypeParser('text/plain');
  server.decorateRequest('person', null);
  server.addHook('onRequest', async (request) => {
    request.person = sessions.personOfRequest(request);
    if (request.person === null) {
      throw new Refusal(
        401,
        'AuthenticationFailed',
        'The API key of a person is missing or wrong, and no session is open.',
      );
    }
  });

  server.get('/session', async (request) => {
    const { name: person, authenticatedBy } = personOf(request);
    const isSession = request.headers.authorization === undefined;
    return { person, authenticatedBy, formToken: isSession ? sessions.formToken(request) : null };
  });

  server.get('/gates', async () => {
    const { ledger, directory, url } = deskOf(desk);
    return { gates: await named(url, () => openGates(ledger, directory)) };
  });

  server.get<{ Params: { id: string } }>('/gates/:id', async ({ params }) => {
    const { ledger, directory, url } = deskOf(desk);
    return named(url, () => readGate(ledger, directory, params.id));
  });

  server.post<{ Params: { id: string } }>('/gates/:id/decisions', async (request, reply) => {
    const open = deskOf(desk);
    const { formToken, onBehalfOf, ...rest } = bodyOf(request, decisionBody);
    sessions.checkForm(request, formToken);
    const decision = { gate: request.params.id, ...rest, ...(onBehalfOf === undefined ? {} : { onBehalfOf }) };
    const recorded = await named(open.url, () => decideGate(open, personOf(request), decision));
    const { gate, decision: made, repeated } = recorded;
    const said = { gate: gate.id, verdict: made.verdict, person: made.person, authenticated_by: made.authenticatedBy };
    logProcess(request.log, 'decision_recorded', said, 'decision recorded');
    return reply.code(repeated ? 200 : 201).send(recorded);
  });

  server.post('/delegations', async (request, reply) => {
    const { ledger, directory, url } = deskOf(desk);
    const { formToken, ...delegation } = bodyOf(request, delegationBody);
    sessions.checkForm(request, formToken);
    if (directory === null)
      throw new Refusal(409, 'Conflict', 'No people are configured, so there is no person to delegate to.');
    const made = await named(url, () => recordDelegation(ledger, directory, personOf(request), delegation));
    return reply.code(201).send(made);
  });
}

function deskOf(desk: GatesTools['desk']): NonNullable<GatesTools['desk']> {
  if (desk !== null) return desk;
  throw new Refusal(503, 'ServerUnavailable', 'The gateway has no ledger: set DATABASE_GATES_URL.');
}

function personOf({ person }: FastifyRequest): Actor {
  if (person === null) throw new Refusal(401, 'AuthenticationFailed', 'Sign in first.');
  return person;
}

function bodyOf<Schema extends z.ZodType>({ body }: FastifyRequest, schema: Schema): z.output<Schema> {
  const checked = check(schema, body ?? {});
  if (checked.success) return checked.data;
  throw new Refusal(422, 'InvalidInput', describeIssue(checked.error));
}

async function named<Result>(url: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw ledgerFailure(error, url);
  }
}
