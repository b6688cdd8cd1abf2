import type { z } from 'zod';
import type { FailureType } from './failures.ts';
import { FLOWS_QUEUE } from './queues.ts';

/** The schema builder, handed to a declaration: workflows read declarations too, and zod stays out of their bundle. */
export type Zod = typeof z;

/** JSON: read-only, and an optional field is left out instead of undefined. */
export type Json<Value> = Value extends readonly (infer Item)[]
  ? readonly Json<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Json<Exclude<Value[Key], undefined>> }
    : Value;

/** Who starts a flow: people and programs through the client, schedules, services over HTTP, other flows, workers. */
export type Starter = 'people' | 'schedules' | 'services' | 'flows' | 'workers';

/** A workflow id that is too long to say what it is the id of: `prefix` and the first twelve digits of the SHA-256 of `of`. */
export interface DigestId {
  readonly prefix: string;
  readonly of: string;
}

/** What a flow of one wing is, declared once. Starter, checks, gateway, OpenAPI, `longhaul watch` and docs/flows.md follow from it. */
export interface Flow<Type extends string = string, Given = unknown, Checked = unknown, Result = unknown> {
  /** Workflow type: the name of the exported workflow function. */
  readonly type: Type;
  /** Builds the schema of the input. A flow checks its input first, because people can start flows directly in Temporal. */
  input(zod: Zod): z.ZodType;
  /** What it does, as one sentence of markdown for docs/flows.md and OpenAPI. */
  readonly does: string;
  /** Inputs as docs/flows.md shows them; a test checks them against the schema. */
  readonly examples: readonly Given[];
  readonly startedBy: readonly Starter[];
  /** Task queue of its workflow tasks. */
  readonly queue: string;
  /** The workflow id, which is the lock: two runs with the same id cannot run concurrently. */
  id(input: Checked): string | DigestId;
  /**
   * What a start does while a run has the id. `join`: takes the run that answers the same question, is refused for another one.
   * `wait`: takes the run that answers the same question, waits for the end of another one. `refuse`: is refused.
   */
  readonly whenRunning: 'join' | 'wait' | 'refuse';
  /** What a start is refused with while a run that answers another question has the id. */
  busy(input: Checked): Busy;
  /** The part of the input that says what is asked, without what only says how: two inputs with equal parts are one question. */
  question(input: Checked): unknown;
  /** One line for the Temporal UI, at most 200 bytes. @default the workflow type */
  summary(input: Checked): string;
  /** Keyword search attributes of its runs. */
  searchAttributes(input: Checked): Readonly<Record<string, string>>;
  /** Signals that services may send, with the schema of their argument. */
  readonly signals: Messages;
  /** Updates that services may send, with the schema of their argument without `by`: the gateway says who sends. */
  readonly updates: Messages;
  /** The signal that starts it, for a flow that is never started without one; `delivery` names a request that may be repeated. */
  readonly startSignal: StartSignal | null;
  /** What services may give, when that is less than what people may. @default the input */
  serviceInput(zod: Zod): z.ZodType;
  /** What the settings of the gateway fill in for services. */
  serviceDefaults(gateway: { readonly quietSeconds: number }): object;
  /** Path of the field that names the person who starts it, such as `source.by`; null when no field does. */
  readonly person: string | null;
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

/** What a flow is started with. */
export type GivenOf<Declared extends AnyFlow> = NonNullable<Declared['types']>['given'];
/** Its input with the defaults filled in. */
export type CheckedOf<Declared extends AnyFlow> = NonNullable<Declared['types']>['checked'];
/** What it returns. */
export type ResultOf<Declared extends AnyFlow> = NonNullable<Declared['types']>['result'];

/** What a declaration says; the rest has defaults. */
type Declaration<Type extends string, Given, Schema extends z.ZodType, Result> = Pick<
  Flow<Type, Given, Json<z.output<Schema>>, Result>,
  'type' | 'does' | 'examples' | 'startedBy' | 'id'
> & { readonly input: (zod: Zod) => Schema } & Partial<Flow<Type, Given, Json<z.output<Schema>>, Result>>;

/** Refuses a schema that does not take what the type says. */
type Takes<Schema extends z.ZodType, Given> =
  Given extends Json<z.input<Schema>> ? unknown : { readonly input: 'the schema does not take the type of the input' };

/**
 * Declares a flow: `defineFlow<Input, Result>()({ type, input: (z) => z.strictObject({ … }), … })`. The schema is checked against
 * `Input`, and what it gives is what `id` and the others take.
 */
export function defineFlow<Given, Result>() {
  return <const Type extends string, Schema extends z.ZodType>(
    declaration: Declaration<Type, Given, Schema, Result> & Takes<Schema, Given>,
  ): Flow<Type, Given, Json<z.output<Schema>>, Result> => ({
    queue: FLOWS_QUEUE,
    whenRunning: 'join',
    summary: () => declaration.type,
    question: (input) => input,
    busy: (input) => ({
      type: 'RepositoryBusy',
      message: `Another run is working on ${shownId(declaration.id(input))}.`,
    }),
    searchAttributes: () => ({}),
    signals: {},
    updates: {},
    startSignal: null,
    serviceInput: (zod) => declaration.input(zod),
    serviceDefaults: () => ({}),
    person: null,
    ...(declaration as Declaration<Type, Given, Schema, Result>),
  });
}

/** The workflow id of a run, for a flow whose id is written out. Throws a `TypeError` for one that needs a digest. */
export function writtenId<Declared extends AnyFlow>(flow: Declared, input: CheckedOf<Declared>): string {
  const id = flow.id(input);
  if (typeof id === 'string') return id;
  throw new TypeError(`the workflow id of ${flow.type} needs a digest`);
}

function shownId(id: string | DigestId): string {
  return typeof id === 'string' ? id : `what ${id.prefix.replace(/-$/, '')} is asked for`;
}

/** The declared flows of all wings. */
export interface FlowRegistry<Declared extends AnyFlow = AnyFlow> {
  readonly all: readonly Declared[];
  readonly byType: ByType<Declared>;
  /** The flow of a workflow type; null when none is declared. */
  find(type: string): Declared | null;
  /** Those that services may start over HTTP. */
  readonly forServices: readonly Declared[];
}

/** Gathers declarations. Throws a `TypeError` when two have the same workflow type. */
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
