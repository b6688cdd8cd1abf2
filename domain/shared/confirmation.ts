/** A person's answer to `Proceed with initial indexing?`, the argument of the update `confirm`. */
export interface Confirmation {
  readonly proceed: boolean;
  /** Who answered, for the record. */
  readonly by?: string;
}
