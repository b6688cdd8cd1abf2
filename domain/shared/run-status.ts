/** True for the status of a run that has not ended: it is running, or a person paused it. `status`: Temporal's name. */
export function isOpen(status: string): boolean {
  return status === 'RUNNING' || status === 'PAUSED';
}
