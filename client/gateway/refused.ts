import { FAILURES, isFailureType } from '../../domain/shared/failures.ts';
import { shownError } from '../core/errors.ts';
import { Refusal, type RefusalType } from './refusal.ts';

/** How the gateway answers an error. */
export interface Refused {
  /** HTTP status. */
  readonly status: number;
  readonly type: RefusalType;
  readonly message: string;
  /** What to do; null when the message says it. */
  readonly remedy: string | null;
  /** Seconds after which a retry makes sense. */
  readonly retryAfter: number | undefined;
}

const STATUS: Readonly<Partial<Record<string, number>>> = {
  InvalidInput: 422,
  RepositoryBusy: 409,
  PipelineBusy: 409,
  IndexBusy: 409,
  EnvironmentBusy: 409,
  WorkspaceBusy: 409,
  GateNotFound: 404,
  GateClosed: 409,
  GateChanged: 409,
  NotAnApprover: 403,
  RequestUnproved: 403,
  OwnRequest: 403,
  DelegationExpired: 403,
  ServerUnavailable: 503,
};

const FASTIFY: Readonly<Partial<Record<number, { readonly type: RefusalType; readonly message: string }>>> = {
  400: { type: 'InvalidInput', message: 'The body is not JSON.' },
  413: { type: 'PayloadTooLarge', message: 'The body is too large.' },
  415: { type: 'UnsupportedMediaType', message: 'The content type is not accepted here.' },
};

/** Converts an error to an answer. Of an unexpected error the answer has no detail: it belongs in the log. */
export function refusedBy(error: unknown): Refused {
  const { status, type, message, retryAfter } = answerTo(error);
  return { status, type, message, retryAfter, remedy: isFailureType(type) ? FAILURES[type].remedy : null };
}

function answerTo(error: unknown): Omit<Refused, 'remedy'> {
  if (error instanceof Refusal) {
    const { statusCode: status, type, message, retryAfter } = error;
    return { status, type, message, retryAfter };
  }
  const retryAfter = undefined;
  const status = (error as { statusCode?: unknown }).statusCode;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    const known = FASTIFY[status] ?? { type: 'RequestFailed', message: 'The request cannot be understood.' };
    return { status, retryAfter, ...known };
  }
  if (isTemporalAway(error)) {
    const message = 'Temporal does not answer: send it again later.';
    return { status: 503, type: 'ServerUnavailable', message, retryAfter: 30 };
  }
  const { type, message } = shownError(error);
  const known = STATUS[type];
  if (isFailureType(type) && known !== undefined) return { status: known, type, message, retryAfter };
  const unexpected = 'This is an error of the gateway; its log has the details.';
  return { status: 500, type: 'RequestFailed', message: unexpected, retryAfter };
}

/** gRPC: deadline exceeded, resource exhausted, unavailable. */
function isTemporalAway(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && [4, 8, 14].includes(Number(at.code)) && 'details' in at) return true;
  }
  return false;
}
