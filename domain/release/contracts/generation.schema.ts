import { z } from 'zod';
import { CHANGE_ID, CHANGE_TYPES } from './change.ts';
import { line, programName, prose } from './names.schema.ts';
import { canonicalVersion, NOT_A_VERSION, VERSION_FORM } from './version.ts';

const changeId = z
  .string()
  .regex(CHANGE_ID, 'must be capital letters and digits in parts with dashes, such as FEAT-201');

const change = z
  .strictObject({
    id: changeId.optional(),
    /** Another name of `id`. */
    change_id: changeId.optional(),
    type: z.enum(CHANGE_TYPES),
    title: line,
    description: prose.default(''),
    /** The team that makes the change. */
    team: line.optional(),
    /** The pipeline that proves the change; default: `pipeline_template` of the generation. */
    pipeline: programName.optional(),
    /** Written by gryt; the ledger has the real one. */
    status: z.string().optional(),
  })
  .transform(({ id, change_id: otherId, status: _status, ...rest }, context) => {
    const found = id ?? otherId;
    if (found === undefined) {
      context.addIssue({ code: 'custom', path: ['id'], message: 'is missing' });
      return z.NEVER;
    }
    if (id !== undefined && otherId !== undefined) {
      context.addIssue({ code: 'custom', path: ['change_id'], message: 'is another name of id: give one of the two' });
      return z.NEVER;
    }
    return { ...rest, id: found };
  });

/** `generations/vX.Y.Z.yaml` (docs/release.md): what a version is to contain. Unknown keys are refused. */
export const generationFile = z.strictObject({
  version: z.string().regex(VERSION_FORM, NOT_A_VERSION).transform(canonicalVersion),
  description: prose.default(''),
  changes: z.array(change).min(1, 'give at least one change').max(1_000),
  /** The pipeline that proves a change without a pipeline of its own. */
  pipeline_template: programName.optional(),
  /** Written by gryt; the ledger has the real one. */
  status: z.string().optional(),
});

/** A generation as its file declares it. */
export type Generation = z.output<typeof generationFile>;

/** A change of a {@link Generation}. */
export type DeclaredChange = Generation['changes'][number];
