import type { FleetProgress, RepositoryOutcome } from './flows.ts';
/** The state of a fleet flow as a markdown table, for the details that the Temporal UI shows. Below 20 kB. */
export declare function describeProgress(progress: FleetProgress): string;
/** The question that a person is asked before an initial indexing, in the words of seed 000, workflow 6. */
export declare function proceedQuestion(count: number): string;
/** What became of one repository, as a markdown table. */
export declare function describeOutcome(outcome: RepositoryOutcome): string;
