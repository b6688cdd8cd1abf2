import { z } from 'zod';
import { plainUrl } from '../shared/values.schema.ts';

const folderBlobs = z.strictObject({
  type: z.literal('folder'),
  /** The folder; default: `blobs` in the data folder. */
  path: z.string().min(1).optional(),
});

const s3Blobs = z.strictObject({
  type: z.literal('s3'),
  bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'give the name of a bucket, not its address'),
  /** Base URL of the S3 service; Amazon's own for the region when left out. */
  endpoint: plainUrl.optional(),
  region: z.string().min(1).default('us-east-1'),
  /** Prefix of the name of every object. */
  prefix: z
    .string()
    .regex(
      /^([A-Za-z0-9_-][A-Za-z0-9._-]*\/)*$/,
      'use letters, digits, dot, dash and underscore, and end it with a slash',
    )
    .default(''),
  /**
   * Address the bucket as `<endpoint>/<bucket>` instead of `<bucket>.<endpoint>`: required by most services except
   * Amazon's.
   */
  forcePathStyle: z.boolean().default(false),
});

/** Where blobs are stored. */
export const blobsSchema = z.discriminatedUnion('type', [folderBlobs, s3Blobs]);

/** `blobs` with `type: s3`, checked. */
export type S3BlobsConfig = z.infer<typeof s3Blobs>;
