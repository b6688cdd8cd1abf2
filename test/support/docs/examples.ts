import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { parse } from 'yaml';
import type { z } from 'zod';
import { FLOWS } from '../../../domain/flows.ts';
import { configSchema } from '../../../domain/config/config.schema.ts';
import { check, describeIssue } from '../../../domain/shared/check.schema.ts';
import { inputSchema } from '../../../domain/shared/flow.schema.ts';

/** A source to compile, and its place in the documents. */
export interface Source {
  /** `file:line`. */
  readonly from: string;
  readonly text: string;
}

/** The kinds of files by a key that only they have with a list: why a text is invalid; null when it is valid, or an error. */
export type FileChecks = Readonly<Record<string, (text: string) => string | null>>;

/**
 * Why a YAML example is invalid; null when it is valid. `files`: the kinds of files in addition to `longhaul.yaml`, by
 * their key.
 */
export function checkYaml(text: string, files: FileChecks): string | null {
  try {
    const value = parse(text) as Readonly<Record<string, unknown>>;
    const [, checkFile] = Object.entries(files).find(([key]) => Array.isArray(value[key])) ?? [];
    if (checkFile !== undefined) return checkFile(text);
    // a section that names a provider is an example with it
    const providers = [{ name: 'work', type: 'github' }];
    return problemOf(configSchema, { providers, ...value });
  } catch (error) {
    return String(error);
  }
}

/** Why a flow rejects an input; null when it accepts it. `<digest>` and `<oid>` stand for any. */
export function checkFlowInput(type: string, input: string): string | null {
  const flow = FLOWS.find(type);
  if (flow === null) return `no flow is called ${type}`;
  try {
    const text = input.replaceAll('<digest>', '0'.repeat(16)).replaceAll('<oid>', '0'.repeat(40));
    return problemOf(inputSchema(flow), JSON.parse(text));
  } catch (error) {
    return String(error);
  }
}

/** The first problem of a value; null when there is none. */
export function problemOf(schema: z.ZodType, value: unknown): string | null {
  const { error } = check(schema, value);
  return error === undefined ? null : describeIssue(error);
}

/**
 * The compiler's errors for sources that import this package as `longhaul`, or files of the repository from its root as
 * `#root/…`: `file:line: message`, with the place in the documents.
 */
export async function compile(root: string, sources: readonly Source[]): Promise<readonly string[]> {
  const parent = join(root, 'node_modules', '.cache');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'examples-'));
  try {
    for (const [at, { text }] of sources.entries()) writeFileSync(join(folder, `example-${at}.ts`), text);
    const paths = { longhaul: [join(root, 'client/index.ts')], '#root/*': [join(root, '*')] };
    const compilerOptions = {
      paths,
      rootDir: '/',
      noUnusedLocals: false,
      typeRoots: [join(root, 'node_modules/@types')],
    };
    const settings = { extends: join(root, 'tsconfig.json'), compilerOptions, include: ['*.ts'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
    const { stdout } = await execa(join(root, 'node_modules/.bin/tsc'), ['-p', '.', '--pretty', 'false'], {
      cwd: folder,
      reject: false,
      localDir: root,
      preferLocal: true,
    });
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.replace(/^example-(\d+)\.ts/, (_, at: string) => sources[Number(at)]?.from ?? ''));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
