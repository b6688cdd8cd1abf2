/** The outputs of the stages of a flow, by name: small JSON, never contents of files or secrets. */
export type StageOutputs = Readonly<Record<string, unknown>>;

/** Where a run starts: a stage, and the outputs of the stages before it. */
export interface StartFrom<Outputs extends StageOutputs> {
  readonly stage: keyof Outputs & string;
  readonly outputs: Partial<Outputs>;
}
