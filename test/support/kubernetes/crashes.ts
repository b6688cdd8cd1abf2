/**
 * What is said of a container that crashes again and again: by its state when it waits to be started, and by its restarts when it
 * is looked at in the moment in which it runs.
 */
export const CRASHES = /CrashLoopBackOff|was started again \d+ times/u;
