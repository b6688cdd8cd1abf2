import type { Confirmation, FleetProgress } from '../../domain/catalog/flows.ts';
/** What a fleet flow is doing now; also answered after it closed. */
export declare const progressQuery: import("@temporalio/workflow").QueryDefinition<FleetProgress, [], string>;
/** Answers `Proceed with initial indexing?`; refused when nobody asked. */
export declare const confirmUpdate: import("@temporalio/common").UpdateDefinition<FleetProgress, [Confirmation], string>;
