/**
 * The first step of every flow, because people start flows by hand: the input with its defaults filled in, or the
 * non-retryable failure `InvalidInput` that names the field.
 */
export declare function checked<Input, Checked extends Input = Required<Input>>(flow: string, input: Input): Promise<Checked>;
