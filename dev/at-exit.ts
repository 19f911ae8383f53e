// What is undone when this process exits. One listener for all of it: Node takes more than ten for a leak.
const toUndo: (() => void)[] = [];

process.on('exit', () => {
  // The last first: a server goes before the folder that it was started in.
  for (const undo of toUndo.toReversed()) undo();
});

/**
 * A process that a signal kills undoes nothing; call `process.exit` in handlers of SIGINT and SIGTERM.
 * @returns takes it back, once it is undone already
 */
export function atExit(undo: () => void): () => void {
  toUndo.push(undo);
  return () => {
    const place = toUndo.indexOf(undo);
    if (place !== -1) toUndo.splice(place, 1);
  };
}
