import { z } from 'zod';

// What a file names is checked also when something else in it is wrong, so that all problems are reported at once:
// whatever has another form than expected is left out here.

const name = z.string().optional().catch(undefined);

/** The pipelines that a generation names, and the ids of its changes. Accepts every value. */
export const generationReferences = z
  .object({
    pipeline_template: name,
    changes: z.array(z.object({ id: name, change_id: name, pipeline: name }).catch({})).catch([]),
  })
  .catch({ changes: [] });

/** The pipeline that policies name. Accepts every value. */
export const policyReferences = z.object({ default_pipeline: name }).catch({});

/** The jobs that jobs of a pipeline need. Accepts every value. */
export const pipelineReferences = z
  .object({
    jobs: z.record(z.string(), z.object({ needs: z.array(z.string()).catch([]) }).catch({ needs: [] })).catch({}),
  })
  .catch({ jobs: {} });
