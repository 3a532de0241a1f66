const actions = new Set<() => void>();

function performAll(): void {
  for (const action of actions) action();
}

/**
 * Performs something when this process ends by itself.
 *
 * @param action Synchronous: nothing else is performed then.
 * @returns a function that takes it back.
 */
export function atExit(action: () => void): () => void {
  if (actions.size === 0) process.on('exit', performAll);
  actions.add(action);
  return () => {
    actions.delete(action);
    if (actions.size === 0) process.off('exit', performAll);
  };
}
