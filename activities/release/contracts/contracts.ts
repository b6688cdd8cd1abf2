import { posix } from 'node:path';
import { validRange } from 'semver';
import type { z } from 'zod';
import { type Generation, generationFile } from '../../../domain/release/contracts/generation.schema.ts';
import { type Environments, environmentsFile } from '../../../domain/release/contracts/environments.schema.ts';
import { describeShared, type SharedFile, type SharedSource } from '../../../domain/release/deployment/shared-file.ts';
import { doesNothing } from '../../../domain/release/contracts/empty-step.ts';
import { combinationsOf, idOfJob, MOST_COMBINATIONS } from '../../../domain/release/contracts/matrix.ts';
import { cycleOf, type Needs } from '../../../domain/release/contracts/needs.ts';
import { type Pipeline, pipelineFile } from '../../../domain/release/contracts/pipeline.schema.ts';
import { grytPolicyFile, type PolicyFile, policyFile } from '../../../domain/release/contracts/policy.schema.ts';
import {
  generationReferences,
  pipelineReferences,
  policyReferences,
} from '../../../domain/release/contracts/references.schema.ts';
import { type CheckedYaml, checkYaml } from '../../shared/checked-yaml.ts';

/** A file of a contract folder. */
export interface ContractFile {
  /** Path in the folder, with slashes: `generations/v1.5.0.yaml`. */
  readonly path: string;
  readonly text: string;
  /** Where the text comes from, if another repository has it. */
  readonly from?: SharedSource;
}

/** The files of `.longhaul/` or `.gryt/`, in a working folder or at a commit. */
export interface ContractFolder {
  /** Its name: `.longhaul` or `.gryt`. */
  readonly name: string;
  readonly files: readonly ContractFile[];
}

/** What a repository declares about its releases (docs/release.md). */
export interface Contracts {
  /** By version: `v1.5.0`. */
  readonly generations: Readonly<Record<string, Generation>>;
  readonly policy: PolicyFile;
  /** By name. */
  readonly pipelines: Readonly<Record<string, Pipeline>>;
  /** Where releases are deployed, in their order; none when the repository says nothing about that. */
  readonly environments: Environments;
  /** The file of another repository that has the environments, while it is not read; null for none. */
  readonly environmentsFrom: SharedFile | null;
}

/** The contracts of a folder, and everything that is wrong with them. */
export interface CheckedContracts {
  /** The files that could be read. */
  readonly contracts: Contracts;
  /** Sentences with file and line; empty when all is well. */
  readonly problems: readonly string[];
  /** The same for required steps that have nothing to run: such a pipeline is valid, and proves nothing. */
  readonly emptySteps: readonly string[];
}

/** The parts of a contract folder, in the order in which they are reported. */
const GENERATIONS = 'generations/';
const PIPELINES = 'pipelines/';
const NO_POLICY: PolicyFile = { policies: [], promotion: { freeze: [], assets: [] } };

/**
 * Checks all contracts of a folder: each file against its schema, the name of each file against its content, versions,
 * pipelines and jobs that are named against those that exist. Reports all problems at once and does not throw.
 */
export function checkContracts(folder: ContractFolder): CheckedContracts {
  const problems: string[] = [];
  const read = <Schema extends z.ZodType>(
    schema: Schema,
    { path, text, from }: ContractFile,
  ): CheckedYaml<z.output<Schema>> => {
    const checked = checkYaml(schema, text, from === undefined ? posix.join(folder.name, path) : describeShared(from));
    problems.push(...checked.problems);
    return checked;
  };
  const generations = readEach(folder, GENERATIONS, (file) => read(generationFile, file));
  const policies = readPolicies(folder, read, problems);
  const pipelines = readEach(folder, PIPELINES, (file) => read(pipelineFile, file));
  const found = {
    generations: byName(generations, ({ version }) => version, 'version', problems),
    pipelines: byName(pipelines, ({ name }) => name, 'name', problems),
  };
  const isPipeline = (name: string): boolean => pipelines.some(({ stem }) => stem === name);
  const refuseUnknownPipeline = (name: string | undefined, place: string): void => {
    if (name === undefined || isPipeline(name)) return;
    const known = pipelines.map(({ stem }) => stem).join(', ');
    problems.push(`${place}: there is no pipeline "${name}"${known === '' ? '' : `; there are ${known}`}.`);
  };
  for (const { checked } of generations) {
    const { changes, pipeline_template: template } = generationReferences.parse(checked.given);
    refuseUnknownPipeline(template, checked.at(['pipeline_template']));
    const ids = new Set<string>();
    for (const [index, { id, change_id: otherId, pipeline }] of changes.entries()) {
      refuseUnknownPipeline(pipeline, checked.at(['changes', index, 'pipeline']));
      const known = id ?? otherId;
      if (known === undefined) continue;
      if (ids.has(known)) {
        problems.push(`${checked.at(['changes', index])}: there is another change with the id ${known}.`);
      }
      ids.add(known);
    }
  }
  for (const { checked } of policies) {
    const { default_pipeline: pipeline } = checked.value ?? policyReferences.parse(checked.given);
    refuseUnknownPipeline(pipeline, checked.at(['default_pipeline']));
    if (checked.value !== null) problems.push(...problemsOfPolicies(checked.value, checked.at));
  }
  for (const { checked } of pipelines) {
    problems.push(...problemsOfNeeds(checked.value ?? pipelineReferences.parse(checked.given), checked.at));
    if (checked.value !== null) problems.push(...problemsOfMatrices(checked.value, checked.at));
  }
  const { environments, from: environmentsFrom } = readEnvironments(folder, read, problems);
  // those of another repository are not known yet
  const mayBe = (name: string): boolean => environmentsFrom !== null || environments.some((each) => each.name === name);
  for (const { checked } of pipelines) {
    for (const [job, { deploy }] of Object.entries(checked.value?.jobs ?? {})) {
      if (deploy === undefined || mayBe(deploy)) continue;
      const known = environments.map(({ name }) => name).join(', ') || 'none';
      problems.push(`${checked.at(['jobs', job, 'deploy'])}: there is no environment "${deploy}"; there are ${known}.`);
    }
  }
  for (const { checked } of policies) {
    const place = checked.value?.train?.deploy_to;
    if (place === undefined || mayBe(place)) continue;
    const known = environments.map(({ name }) => name).join(', ') || 'none';
    problems.push(`${checked.at(['train', 'deploy_to'])}: there is no environment "${place}"; there are ${known}.`);
  }
  const policy = policies.map(({ checked }) => checked.value).find((one) => one !== null) ?? NO_POLICY;
  const required = new Set(policy.policies.flatMap(({ required_steps: steps }) => steps));
  const emptySteps = pipelines.flatMap(({ checked }) =>
    checked.value === null ? [] : emptyStepsOf(checked.value, required, checked.at),
  );
  return { contracts: { ...found, policy, environments, environmentsFrom }, problems, emptySteps };
}

/** The policies of a folder of which only these files are known, and everything that is wrong with them. */
export function checkPolicyFiles(folder: ContractFolder): {
  readonly policy: PolicyFile;
  readonly problems: readonly string[];
} {
  const problems: string[] = [];
  const found = readPolicies(
    folder,
    (schema, { path, text }) => {
      const checked = checkYaml(schema, text, posix.join(folder.name, path));
      problems.push(...checked.problems);
      return checked;
    },
    problems,
  );
  for (const { checked } of found) {
    if (checked.value !== null) problems.push(...problemsOfPolicies(checked.value, checked.at));
  }
  return { policy: found.map(({ checked }) => checked.value).find((one) => one !== null) ?? NO_POLICY, problems };
}

interface ReadFile<Value> {
  /** Path in the folder. */
  readonly path: string;
  /** Its name without folder and ending. */
  readonly stem: string;
  readonly checked: CheckedYaml<Value>;
}

function readEach<Value>(
  { files }: ContractFolder,
  under: string,
  read: (file: ContractFile) => CheckedYaml<Value>,
): ReadFile<Value>[] {
  return files
    .filter(({ path }) => path.startsWith(under) && /^[^/]+\.ya?ml$/.test(path.slice(under.length)))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .map((file) => ({ path: file.path, stem: stemOf(file.path), checked: read(file) }));
}

function stemOf(path: string): string {
  return posix.basename(path).replace(/\.ya?ml$/, '');
}

/** The policies: `policy.yaml` as the documents have it, or `policies.yaml` as the program gryt reads it. */
function readPolicies(
  { files }: ContractFolder,
  read: (schema: typeof policyFile | typeof grytPolicyFile, file: ContractFile) => CheckedYaml<PolicyFile>,
  problems: string[],
): ReadFile<PolicyFile>[] {
  const found = files.filter(({ path }) => /^polic(y|ies)\.ya?ml$/.test(path));
  const read1 = found.map((file) => ({
    path: file.path,
    stem: stemOf(file.path),
    checked: read(stemOf(file.path) === 'policy' ? policyFile : grytPolicyFile, file),
  }));
  const [first, second] = read1;
  if (first !== undefined && second !== undefined) {
    problems.push(`${second.checked.at([])}: there is ${first.path} too; keep one of the two.`);
  }
  return read1;
}

/** True for the file with the environments. */
export function isEnvironmentsFile({ path }: ContractFile): boolean {
  return /^environments\.ya?ml$/.test(path);
}

/** The environments of `environments.yaml`, or the file that has them. Reports services that need each other. */
function readEnvironments(
  { files }: ContractFolder,
  read: (schema: typeof environmentsFile, file: ContractFile) => CheckedYaml<z.output<typeof environmentsFile>>,
  problems: string[],
): { readonly environments: Environments; readonly from: SharedFile | null } {
  const given = files.filter(isEnvironmentsFile);
  const found = given.map((file) => read(environmentsFile, file));
  const [first, second] = found;
  if (second !== undefined) problems.push(`${second.at([])}: there is another file with environments; keep one.`);
  for (const { value, at } of found) {
    for (const [index, { services }] of (value?.environments ?? []).entries()) {
      const cycle = cycleOf(services);
      if (cycle === null) continue;
      const place = at(['environments', index, 'services', cycle[0] ?? '', 'needs']);
      problems.push(`${place}: these services need each other: ${cycle.join(' -> ')}.`);
    }
  }
  const from = first?.value?.from ?? null;
  if (first !== undefined && from !== null && given[0]?.from !== undefined) {
    problems.push(`${first.at(['from'])}: a shared file has the environments itself.`);
  }
  return { environments: first?.value?.environments ?? [], from };
}

/** The values by name. Reports files whose name differs from the name in them, and names that two files have. */
function byName<Value>(
  files: readonly ReadFile<Value>[],
  nameOf: (value: Value) => string,
  field: string,
  problems: string[],
): Record<string, Value> {
  const found: Record<string, Value> = {};
  for (const { stem, checked } of files) {
    if (checked.value === null) continue;
    const name = nameOf(checked.value);
    if (name !== stem && name !== `v${stem}`) {
      problems.push(`${checked.at([field])}: the file is called ${stem}, but its ${field} is ${name}.`);
    } else if (Object.hasOwn(found, name)) {
      problems.push(`${checked.at([field])}: there is another file with the ${field} ${name}.`);
    } else found[name] = checked.value;
  }
  return found;
}

type PlaceOf = (keys: readonly PropertyKey[]) => string;

function problemsOfPolicies({ policies }: PolicyFile, at: PlaceOf): string[] {
  const names = new Set<string>();
  return policies.flatMap(({ name, team, versions, min_evolutions: least, required_steps: steps }, index) => {
    const problems: string[] = [];
    if (names.has(name)) problems.push(`${at(['policies', index])}: there is another policy with the name "${name}".`);
    names.add(name);
    if ((team === undefined) !== (versions === undefined)) {
      problems.push(`${at(['policies', index])}: team and versions belong together: give both.`);
    }
    if (versions !== undefined && validRange(versions) === null) {
      problems.push(
        `${at(['policies', index, 'versions'])}: "${versions}" is not a range of versions such as 1.x or >=2.0.0 <3.0.0.`,
      );
    }
    if (team === undefined && least === undefined && steps.length === 0) {
      problems.push(
        `${at(['policies', index])}: the policy "${name}" asks for nothing: give required_steps, min_evolutions, or team and versions.`,
      );
    }
    return problems;
  });
}

function emptyStepsOf({ name, jobs }: Pipeline, required: ReadonlySet<string>, at: PlaceOf): string[] {
  const placeOf = (job: string, index: number): string => {
    const place = at(['jobs', job, 'steps', index]);
    // a pipeline with one job has its steps at the top
    return place === at([]) ? at(['steps', index]) : place;
  };
  return Object.entries(jobs).flatMap(([job, { steps }]) =>
    steps.flatMap((step, index) =>
      required.has(step.name) && doesNothing(step)
        ? [`${placeOf(job, index)}: the required step ${step.name} of ${name} has nothing to run.`]
        : [],
    ),
  );
}

function problemsOfNeeds({ jobs }: { readonly jobs: Needs }, at: PlaceOf): string[] {
  const problems = Object.entries(jobs).flatMap(([name, { needs }]) =>
    needs
      .filter((needed) => !Object.hasOwn(jobs, needed))
      .map((needed) => `${at(['jobs', name, 'needs'])}: job ${name} needs ${needed}, which does not exist.`),
  );
  const cycle = cycleOf(jobs);
  if (cycle !== null) {
    problems.push(`${at(['jobs', cycle[0] ?? '', 'needs'])}: these jobs need each other: ${cycle.join(' -> ')}.`);
  }
  return problems;
}

function problemsOfMatrices({ jobs }: Pipeline, at: PlaceOf): string[] {
  return Object.entries(jobs).flatMap(([name, { matrix }]) => {
    const combinations = matrix === undefined ? [] : combinationsOf(matrix);
    const count = matrix === undefined ? 1 : combinations.length;
    const place = at(['jobs', name, 'matrix']);
    if (count === 0) return [`${place}: the matrix of job ${name} has no combination.`];
    if (count > MOST_COMBINATIONS) {
      return [`${place}: the matrix of job ${name} has more than ${MOST_COMBINATIONS} combinations.`];
    }
    const ids = combinations.map((combination) => idOfJob(name, combination));
    const repeated = [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))];
    return repeated.map(
      (id) => `${place}: the matrix of job ${name} has several combinations "${id}": each has a job of its own name.`,
    );
  });
}
