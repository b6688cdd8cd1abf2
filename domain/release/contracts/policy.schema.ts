import { z } from 'zod';
import { CHANGE_TYPES } from './change.ts';
import { line, programName, prose } from './names.schema.ts';
import { promotionSection } from './promotion.schema.ts';
import { trainSection } from './train.schema.ts';

const changeTypes = z.array(z.enum(CHANGE_TYPES)).min(1, 'give at least one type of change');
const steps = z.array(programName).max(100);
const evolutions = z.int().min(1).max(1_000);

const policy = z.strictObject({
  name: line,
  description: prose.default(''),
  /** The types of changes that it concerns. */
  applies_to: changeTypes.default([...CHANGE_TYPES]),
  /** Steps that the pipeline of a change must have, and that must pass in the run that proves it. */
  required_steps: steps.default([]),
  /** The fewest evolutions of the changes that it concerns at the promotion of a generation. */
  min_evolutions: evolutions.optional(),
  /** The team whose changes may only be in the versions of {@link versions}. */
  team: line.optional(),
  /** A range of versions as npm writes them: `1.x`, `>=2.0.0 <3.0.0`. */
  versions: z.string().min(1).max(100).optional(),
});

/** `policy.yaml` (docs/release.md): the rules that every release of the repository keeps. Unknown keys are refused. */
export const policyFile = z.strictObject({
  /** The pipeline of changes for which neither the change nor the generation names one. */
  default_pipeline: programName.optional(),
  policies: z.array(policy).max(200).default([]),
  promotion: promotionSection.prefault({}),
  train: trainSection.optional(),
});

/** The policies of a repository. */
export type PolicyFile = z.output<typeof policyFile>;

/** A policy of a {@link PolicyFile}. */
export type Policy = PolicyFile['policies'][number];

const grytPolicy = z
  .strictObject({
    name: line,
    type: z.enum(['change_type', 'evolution_count', 'custom']),
    enabled: z.boolean().default(true),
    description: prose.default(''),
    config: z
      .strictObject({
        change_types: changeTypes.optional(),
        required_steps: steps.default([]),
        min_evolutions: evolutions.optional(),
        custom_hook: z.string().optional(),
      })
      .prefault({}),
  })
  .transform(({ name, description, type, enabled, config }, context): Policy | null => {
    if (!enabled) return null;
    if (type === 'custom' || config.custom_hook !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['type'],
        message: 'a hook cannot be run as a policy: make it a step of the pipeline and require that step',
      });
      return z.NEVER;
    }
    return {
      name,
      description,
      applies_to: config.change_types ?? [...CHANGE_TYPES],
      required_steps: config.required_steps,
      ...(config.min_evolutions === undefined ? {} : { min_evolutions: config.min_evolutions }),
    };
  });

/** `policies.yaml`, the form that the program gryt reads, as a {@link PolicyFile}. Policies that are not enabled are left out. */
export const grytPolicyFile = z
  .strictObject({
    policies: z.array(grytPolicy).max(200).default([]),
    /** Settings of gryt's own alerts, which Longhaul does not read. */
    alerts: z.unknown().optional(),
  })
  .transform(({ policies }): PolicyFile => ({
    policies: policies.filter((one) => one !== null),
    promotion: { freeze: [], assets: [] },
  }));
