import type { z } from 'zod';
import type { Act } from './acts.ts';
import type { FailureType } from './failures.ts';

/**
 * The schema builder, passed to declarations so that the workflow bundle, which has declarations, does not contain zod.
 */
export type Zod = typeof z;

/** The type as JSON: read-only, with optional fields missing instead of undefined. */
export type Json<Value> = Value extends readonly (infer Item)[]
  ? readonly Json<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Json<Exclude<Value[Key], undefined>> }
    : Value;

/** Who starts a flow: people and programs through the client, schedules, services over HTTP, other flows, workers. */
export type Starter = 'people' | 'schedules' | 'services' | 'flows' | 'workers';

/** A workflow id with a digest, for long inputs: `prefix` and the first twelve digits of the SHA-256 of `of`. */
export interface DigestId {
  readonly prefix: string;
  readonly of: string;
}

/**
 * The declaration of a flow, which the starter, input checks, gateway, OpenAPI, `longhaul watch` and docs/flows.md use.
 */
export interface Flow<Type extends string = string, Given = unknown, Checked = unknown, Result = unknown> {
  /** Workflow type: the name of the exported workflow function. */
  readonly type: Type;
  /**
   * Builds the schema of the input. A flow checks its input first, because people can start flows directly in Temporal.
   */
  input(zod: Zod): z.ZodType;
  /** Its description, as one sentence of markdown for docs/flows.md and OpenAPI. */
  readonly does: string;
  /** Example inputs for docs/flows.md; a test checks them against the schema. */
  readonly examples: readonly Given[];
  readonly startedBy: readonly Starter[];
  /** The workflow id, which is the lock: two runs with the same id cannot run concurrently. */
  id(input: Checked): string | DigestId;
  /**
   * How a start behaves while a run has the id. `join`: joins a run with the same question, and is refused otherwise.
   * `wait`: joins a run with the same question, and otherwise waits for its end. `refuse`: is always refused.
   */
  readonly whenRunning: 'join' | 'wait' | 'refuse';
  /** The failure of a refused start. */
  busy(input: Checked): Busy;
  /**
   * The part of the input that determines the result, without options such as `parallel`: equal parts are the same
   * question.
   */
  question(input: Checked): unknown;
  /** One line for the Temporal UI, at most 200 bytes. @default the workflow type */
  summary(input: Checked): string;
  /** Keyword search attributes of its runs. */
  searchAttributes(input: Checked): Readonly<Record<string, string>>;
  /** Its signals, with the schema of their argument. A test compares signals, updates and queries with the handlers. */
  readonly signals: Messages;
  /** Its updates, with the schema of their argument; without `by`, which the gateway adds. */
  readonly updates: Messages;
  /** The names of its queries, without `progress`, which every flow answers. */
  readonly queries: readonly string[];
  /**
   * The signal that starts it, for a flow that is never started without one; `delivery` names a request that may be
   * repeated. Such a start is one request to the server, which signals a running run or starts one. So runs with the
   * same id must answer the same question: `question` is the id, and `whenRunning` is `join`.
   */
  readonly startSignal: StartSignal | null;
  /** The schema of the input for services, if it accepts less: its output is that of `input`. @default `input` */
  serviceInput(zod: Zod): z.ZodType;
  /** Defaults for services, from the settings of the gateway. */
  serviceDefaults(gateway: { readonly quietSeconds: number }): object;
  /** Path of the field that names the person who starts it, such as `source.by`; null when no field does. */
  readonly person: string | null;
  /**
   * True for a flow whose input has `requestId`: the gateway records who starts it, and the flow finds there how that was
   * proved.
   */
  readonly isRequested: boolean;
  /** What the audit trail calls it when it is refused, fails or is cancelled. @default null, for a flow that it does not have */
  readonly act: Act | null;
  /** Types only, never set. */
  readonly types?: { readonly given: Given; readonly checked: Checked; readonly result: Result };
}

/** Messages by name, and the schema of each. */
export type Messages = Readonly<Record<string, (zod: Zod) => z.ZodType>>;

/** Why a flow cannot be started now. */
export interface Busy {
  readonly type: FailureType;
  readonly message: string;
}

/** See {@link Flow.startSignal}. */
export interface StartSignal {
  readonly name: string;
  /** Its argument. */
  input(delivery: string | undefined): object;
}

/** A declared flow with any types. */
export type AnyFlow = Flow;

/** The input of a flow, as given. */
export type GivenOf<Declared extends AnyFlow> = NonNullable<Declared['types']>['given'];
/** The input of a flow, with its defaults filled in. */
export type CheckedOf<Declared extends AnyFlow> = NonNullable<Declared['types']>['checked'];
/** The result of a flow. */
export type ResultOf<Declared extends AnyFlow> = NonNullable<Declared['types']>['result'];

/** The fields that a declaration must or may set; missing ones have defaults. */
type Declaration<Type extends string, Given, Schema extends z.ZodType, Result> = Pick<
  Flow<Type, Given, Json<z.output<Schema>>, Result>,
  'type' | 'does' | 'examples' | 'startedBy' | 'id'
> & { readonly input: (zod: Zod) => Schema } & Partial<Flow<Type, Given, Json<z.output<Schema>>, Result>>;

/** A type error for a schema that does not accept the input's type. */
type Takes<Schema extends z.ZodType, Given> =
  Given extends Json<z.input<Schema>> ? unknown : { readonly input: 'the schema does not take the type of the input' };

/**
 * Declares a flow: `defineFlow<Input, Result>()({ type, input: (z) => z.strictObject({ … }), … })`. The schema must
 * accept `Input`; `id` and the other functions get the schema's output. Throws a `TypeError` for a flow with
 * `startSignal` that sets `question` or `whenRunning`.
 */
export function defineFlow<Given, Result>() {
  return <const Type extends string, Schema extends z.ZodType>(
    declaration: Declaration<Type, Given, Schema, Result> & Takes<Schema, Given>,
  ): Flow<Type, Given, Json<z.output<Schema>>, Result> => {
    const { type, id, startSignal, question, whenRunning } = declaration;
    if (startSignal && (question ?? whenRunning) !== undefined) {
      throw new TypeError(`${type} has a startSignal: remove question and whenRunning`);
    }
    return {
      whenRunning: 'join',
      summary: () => type,
      question: (input) => (startSignal ? id(input) : input),
      busy: (input) => ({ type: 'RepositoryBusy', message: `Another run is working on ${shownId(id(input))}.` }),
      searchAttributes: () => ({}),
      signals: {},
      updates: {},
      queries: [],
      startSignal: null,
      serviceInput: (zod) => declaration.input(zod),
      serviceDefaults: () => ({}),
      person: null,
      isRequested: false,
      act: null,
      ...(declaration as Declaration<Type, Given, Schema, Result>),
    };
  };
}

/** The workflow id of a run, for a flow whose id has no digest. Throws a `TypeError` for one that has. */
export function writtenId<Declared extends AnyFlow>(flow: Declared, input: CheckedOf<Declared>): string {
  const id = flow.id(input);
  if (typeof id === 'string') return id;
  throw new TypeError(`the workflow id of ${flow.type} needs a digest`);
}

function shownId(id: string | DigestId): string {
  return typeof id === 'string' ? id : `the same ${id.prefix.replace(/-$/, '')}`;
}

/** The declared flows of all wings. */
export interface FlowRegistry<Declared extends AnyFlow = AnyFlow> {
  readonly all: readonly Declared[];
  readonly byType: ByType<Declared>;
  /** The flow of a workflow type; null when none is declared. */
  find(type: string): Declared | null;
  /** The flows that services may start over HTTP. */
  readonly forServices: readonly Declared[];
}

/** Collects declarations. Throws a `TypeError` when two have the same workflow type. */
export function createRegistry<Declared extends AnyFlow>(all: readonly Declared[]): FlowRegistry<Declared> {
  const found = new Map<string, Declared>(all.map((flow) => [flow.type, flow]));
  if (found.size < all.length) throw new TypeError('two flows have the same workflow type');
  return {
    all,
    byType: Object.fromEntries(found) as ByType<Declared>,
    find: (type) => found.get(type) ?? null,
    forServices: all.filter(({ startedBy }) => startedBy.includes('services')),
  };
}

/** Declarations by workflow type. */
export type ByType<Declared extends AnyFlow> = { readonly [One in Declared as One['type']]: One };
