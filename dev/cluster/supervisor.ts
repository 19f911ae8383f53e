// The background process of `cluster up`: it starts the control plane, and ends it when it ends itself.
import { copyFileSync, existsSync } from 'node:fs';
import { tryLock } from '../lock.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { FILES, writeState } from './state.ts';

const CHECK_EVERY_MS = 1_000;

const unlock = tryLock(FILES.lock);
if (unlock === undefined) throw new Error('another `cluster up` was faster');

let controlPlane: ControlPlane | undefined;
const stop = async (): Promise<void> => {
  await controlPlane?.stop();
  // Before it is ready, this is what ends the servers and removes their files.
  process.exit(0);
};
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.once(signal, () => void stop());
// Once `.cluster/` is gone (`git clean`, a removed checkout), no `down` could find this process any more.
setInterval(() => {
  if (!existsSync(FILES.lock)) void stop();
}, CHECK_EVERY_MS);

writeState({ pid: process.pid });
controlPlane = await startControlPlane();
copyFileSync(controlPlane.adminKubeconfig, FILES.kubeconfig);
const { folder, binaries, url } = controlPlane;
writeState({
  pid: process.pid,
  ready: { folder, kubectl: binaries.kubectl, url, pids: controlPlane.pids() },
});
