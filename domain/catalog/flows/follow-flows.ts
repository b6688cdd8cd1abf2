import { readDeliveries, readRepositoryEvents, REPOSITORY_EVENTS } from '../../forge/repository-event.ts';
import { repositoryName } from '../../git/repository.ts';
import { defineFlow } from '../../shared/flow.ts';
import type { FollowInput, FollowResult } from './follow.ts';
import { aboutRepository, repositoryBusy, repositoryIdSchema } from './inputs.ts';

/** Applies to the index what a forge's webhooks report about one repository. */
export const followRepositoryFlow = defineFlow<FollowInput, FollowResult>()({
  type: 'followRepository',
  input: (z) =>
    z.strictObject({ repository: repositoryIdSchema(z), quietSeconds: z.number().min(0).max(3_600).default(10) }),
  does: 'started by the [gateway](gateway.md) with the signal `repositoryEvents`: waits until no more messages arrive, then acts on those of the forge',
  examples: [{ repository: 'work/acme/api', quietSeconds: 10 }],
  startedBy: ['people', 'services', 'flows'],
  id: ({ repository }) => `follow/${repository}`,
  busy: ({ repository }) => repositoryBusy(repository),
  summary: ({ repository }) => `follow ${repositoryName(repository)}`.slice(0, 200),
  searchAttributes: ({ repository }) => aboutRepository(repository),
  signals: {
    repositoryEvents: (z) =>
      z.record(z.string(), z.unknown()).refine((given) => readRepositoryEvents(given).length > 0, {
        path: ['events'],
        message: `give a list of events, each of a kind of ${REPOSITORY_EVENTS.join(', ')}`,
      }),
  },
  startSignal: {
    name: 'repositoryEvents',
    input: (delivery) => ({ events: [{ kind: 'pushed', ...(delivery === undefined ? {} : { delivery }) }] }),
  },
  serviceDefaults: ({ quietSeconds }) => ({ quietSeconds }),
});

/** Passes messages of forges on to the flows that follow their repositories. */
export const takeDeliveriesFlow = defineFlow<Record<string, never>, { readonly taken: number }>()({
  type: 'takeDeliveries',
  input: (z) => z.strictObject({}),
  does: 'started by the gateway with the signal `deliveries`: passes messages of forges on to the flows that follow their repositories',
  examples: [],
  startedBy: ['workers'],
  id: () => 'deliveries',
  summary: () => 'webhook deliveries',
  signals: {
    deliveries: (z) =>
      z.record(z.string(), z.unknown()).refine((given) => readDeliveries(given).length > 0, {
        path: ['deliveries'],
        message: 'give a list of deliveries',
      }),
  },
});
