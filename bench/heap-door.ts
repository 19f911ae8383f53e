// Loaded into an operator before its main module (node --expose-gc --import): tells the bench how large its memory is.
import { createServer } from 'node:net';

const path = new URL(import.meta.url).searchParams.get('socket');
const collect = globalThis.gc;
if (path === null || collect === undefined)
  throw new Error('load it with --expose-gc and --import=heap-door.ts?socket=PATH');

const server = createServer((connection) => {
  collect();
  // The second time frees what the first time only found to be over.
  collect();
  connection.end(JSON.stringify(process.memoryUsage()));
});
server.listen(path);
// The operator ends as it would without it.
server.unref();
