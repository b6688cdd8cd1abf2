import { isRepositoryId, NOT_A_REPOSITORY_ID, repositoryName } from '../../git/repository.ts';
import { defineFlow } from '../../shared/flow.ts';
import { type FiringAlert, LONGEST_NAME, LONGEST_SUMMARY, plainText } from '../deployment/alert.ts';
import { releaseAttributes } from './attributes.ts';
import { personName, type RequestFields, requestId } from '../../shared/request.ts';

/** Input of `answerAlerts`. */
export interface AnswerAlertsInput extends RequestFields {
  readonly repository: string;
  /** Name of the environment. */
  readonly environment: string;
  /** Alerts that fire. */
  readonly alerts: readonly FiringAlert[];
}

/** Result of `answerAlerts`. */
export interface AnswerAlertsResult {
  readonly did: 'rolled back' | 'rejected' | 'nothing';
  /** One sentence. */
  readonly why: string;
}

/** Answers alerts about an environment: with a rollback, a question to people, or nothing. */
export const answerAlertsFlow = defineFlow<AnswerAlertsInput, AnswerAlertsResult>()({
  type: 'answerAlerts',
  act: { event: 'alert', resource: 'environment', action: 'answer', named: ['environment'] },
  input: (z) =>
    z.strictObject({
      repository: z.string().refine(isRepositoryId, NOT_A_REPOSITORY_ID),
      environment: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be the name of an environment'),
      alerts: z
        .array(
          z.strictObject({
            name: z
              .string()
              .min(1)
              .transform((text) => plainText(text, LONGEST_NAME) || 'alert'),
            summary: z
              .string()
              .transform((text) => plainText(text, LONGEST_SUMMARY))
              .default(''),
            fingerprint: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'give 1 to 64 letters and digits'),
            startsAt: z.iso.datetime(),
          }),
        )
        .min(1)
        .max(50),
      by: personName(z),
      requestId: requestId(z),
    }),
  does: 'answers [alerts](deploy.md#alerts) about an environment: rolls back, asks people, or does nothing, as the environment says',
  examples: [
    {
      repository: 'work/acme/api',
      environment: 'production',
      alerts: [
        {
          name: 'HighErrorRate',
          summary: '12 % of requests fail',
          fingerprint: '5ef77f1f8a3ecb8d',
          startsAt: '2026-11-30T10:00:00.000Z',
        },
      ],
    },
  ],
  startedBy: ['services'],
  // one question about an environment at a time: alerts that fire meanwhile are sent again
  id: ({ repository, environment }) => `alert/${repository}/${environment}`,
  whenRunning: 'refuse',
  busy: ({ environment }) => ({
    type: 'EnvironmentBusy',
    message: `Alerts about ${environment} are being answered.`,
  }),
  summary: ({ repository, environment }) =>
    `alerts about ${environment} of ${repositoryName(repository)}`.slice(0, 200),
  searchAttributes: ({ repository }) => releaseAttributes({ repository }),
  person: 'by',
  isRequested: true,
});
