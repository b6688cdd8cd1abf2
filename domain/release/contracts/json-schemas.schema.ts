import { z } from 'zod';
import { environmentsFile } from './environments.schema.ts';
import { generationFile } from './generation.schema.ts';
import { pipelineFile } from './pipeline.schema.ts';
import { grytPolicyFile, policyFile } from './policy.schema.ts';

/**
 * JSON Schemas (draft 2020-12) of the contract files, for editors: docs/schemas. They accept every valid file, but cannot
 * express all rules: `longhaul release check` does.
 */
export const JSON_SCHEMAS = {
  generation: jsonSchema(generationFile, 'A generation: the changes that a version is to contain'),
  policy: jsonSchema(policyFile, 'The rules that every release of a repository keeps'),
  policies: jsonSchema(
    grytPolicyFile,
    'The rules that every release of a repository keeps, in the form that gryt reads',
  ),
  pipeline: jsonSchema(pipelineFile, 'A pipeline: jobs and their steps'),
  environments: jsonSchema(environmentsFile, 'The environments to which releases are deployed'),
};

function jsonSchema(schema: z.ZodType, title: string): object {
  return { ...z.toJSONSchema(schema, { io: 'input' }), title };
}
