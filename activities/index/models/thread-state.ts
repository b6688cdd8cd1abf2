/** Where in the shared state 1 means that no native code may start any more. */
export const IS_ENDING = 0;
/** Where in the shared state the number of calls of native code is that have not returned. */
export const IN_NATIVE_CODE = 1;
