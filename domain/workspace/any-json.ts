/** A value of JSON (RFC 8259). */
export type AnyJson = string | number | boolean | null | readonly AnyJson[] | { readonly [name: string]: AnyJson };
