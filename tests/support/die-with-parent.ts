// Ends a test worker whose parent, jest itself, was killed: else it goes on with its suites and their servers.
const CHECK_EVERY_MS = 500;

// Only a worker has a channel to its parent. Run in band, this is jest itself, whose parent may well go.
if (process.send !== undefined) {
  const parent = process.ppid;
  setInterval(() => {
    // Jest hands its tests a copy of `process`, in which ppid never changes.
    if (!exists(parent)) process.kill(process.pid, 'SIGKILL');
  }, CHECK_EVERY_MS).unref();
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
