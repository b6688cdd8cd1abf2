/** A name and its position in a text, in UTF-16 units. */
export interface NamedLine {
  readonly name: string;
  readonly at: number;
}
