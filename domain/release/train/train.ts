import type { Timetable } from './timetable.ts';

/** When the train of a repository leaves, and where it goes, as the contract of the default branch says. */
export interface TrainContract extends Timetable {
  /** Name of the environment; null when the release is only promoted. */
  readonly environment: string | null;
}

/** Asks what is on a train. */
export interface PlanTrain {
  readonly repository: string;
  /** Digest of the contracts of the default branch. */
  readonly contracts: string;
  /** The highest version that the remote has a tag of; null for none. */
  readonly tagged: string | null;
  /** The head of the default branch. */
  readonly head: string;
  /** The departure is the first one after this time, ISO 8601. */
  readonly after: string;
  /** The generation that the train was to release at its cut-off, if it is still there. @default the open one */
  readonly version?: string;
  /** True for the stage that offers what is not proven: the texts of the contracts are long. @default false */
  readonly withMove?: boolean;
}

/** A train before its departure. */
export interface TrainPlan {
  readonly train: TrainContract;
  /** ISO 8601. */
  readonly departure: string;
  /** When changes that are not proven are offered to the next generation, ISO 8601. */
  readonly cutOff: string;
  /** True when a train has left for this departure. */
  readonly hasLeft: boolean;
  /** Null when no generation above the latest release is open. */
  readonly generation: TrainGeneration | null;
  /** Changes to move to the next generation; null when all are proven, or none is, and where they were not asked for. */
  readonly move: ChangeMove | null;
  /** True where people are configured: only a person may ask them for approvals. */
  readonly hasPeople: boolean;
}

/** The generation on a train. */
export interface TrainGeneration {
  readonly version: string;
  readonly isPromoted: boolean;
  /** Why it is not promoted again after its withdrawal, a sentence; null when it may be. */
  readonly withdrawn: string | null;
  readonly changes: readonly { readonly id: string; readonly title: string; readonly isProven: boolean }[];
}

/** Moves changes from the contract of a generation to that of the next one. */
export interface ChangeMove {
  readonly from: string;
  readonly to: string;
  /** Their ids. */
  readonly changes: readonly string[];
  /** The two contracts as they are then: paths in the repository, and their texts. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

/** What the audit trail says about trains. */
export const TRAIN_EVENTS = ['offered', 'held', 'departed', 'arrived', 'overtaken', 'failed'] as const;

/** Something that a train did. */
export interface TrainEvent {
  readonly event: (typeof TRAIN_EVENTS)[number];
  /** The departure, ISO 8601. */
  readonly departure: string;
  /** Null for a train without a release. */
  readonly version: string | null;
  /** Sentences: what it waited for, what went wrong, or why it did not deploy; the address of the pull request. */
  readonly details: readonly string[];
}

/** What a train does between its cut-off and its end. */
export interface TrainUnderWay {
  readonly workflowId: string;
  /** ISO 8601; null until the train has read its timetable. */
  readonly departure: string | null;
  readonly stage: string;
  /** What it waits for. */
  readonly lines: readonly string[];
}

/** The schedule of a train, and what it did last. */
export interface TrainState {
  readonly schedule: 'running' | 'paused' | 'stopped';
  /** True when the schedule has the times of the contract. */
  readonly isCurrent: boolean;
  readonly underWay: TrainUnderWay | null;
  /** The events of the latest departure, the first one first, with their times. */
  readonly last: readonly (TrainEvent & { readonly time: string })[];
}

/** What `longhaul train status` shows. */
export interface TrainReport extends TrainState {
  readonly repository: string;
  readonly train: TrainContract;
  /** The next departure and its cut-off, ISO 8601. */
  readonly departure: string;
  readonly cutOff: string;
  readonly generation: TrainGeneration | null;
  /** Why the generation could not be promoted now, a sentence each. */
  readonly waitsFor: readonly string[];
}

/** What `longhaul train status` prints. */
export function describeTrain({
  repository,
  train,
  schedule,
  isCurrent,
  departure,
  cutOff,
  generation,
  waitsFor,
  underWay,
  last,
}: TrainReport): string {
  const { day, time, time_zone: zone, environment } = train;
  return [
    `Release train of ${repository}: ${day} ${time} ${zone}${environment === null ? '' : `, to ${environment}`}`,
    schedule === 'running'
      ? `Next departure: ${minuteOf(departure)} (cut-off ${minuteOf(cutOff)})`
      : `Next departure: none, the train is ${schedule}${schedule === 'stopped' ? ': longhaul train start' : ''}`,
    ...(isCurrent || schedule === 'stopped'
      ? []
      : ['The contract has other times than the schedule: longhaul train start']),
    ...(underWay === null ? [] : describeUnderWay(underWay)),
    ...(generation === null
      ? ['On the train: nothing, no generation above the latest release is open']
      : [
          `On the train: ${generation.version}`,
          ...generation.changes.map(
            ({ id, title, isProven }) => `  ${isProven ? '✓' : '○'} ${id} ${title}${isProven ? '' : ' (not proven)'}`,
          ),
        ]),
    ...(waitsFor.length === 0 ? [] : ['Waits for:', ...waitsFor.map((each) => `  ${each}`)]),
    ...describeLast(last),
  ].join('\n');
}

function describeUnderWay({ departure, stage, lines }: TrainUnderWay): readonly string[] {
  const which = departure === null ? '' : ` for ${minuteOf(departure)}`;
  return [`Under way${which}: ${stage}`, ...lines.map((line) => `  ${line}`)];
}

function describeLast(events: TrainReport['last']): readonly string[] {
  const [first] = events;
  if (first === undefined) return [];
  return [
    `Latest train: ${minuteOf(first.departure)}`,
    ...events.map(({ event, version, time, details }) =>
      [`  ${event} at ${minuteOf(time)}`, ...(version === null ? [] : [version]), ...details].join(', '),
    ),
  ];
}

function minuteOf(instant: string): string {
  return `${instant.slice(0, 16)}Z`;
}
