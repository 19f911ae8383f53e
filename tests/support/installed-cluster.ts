// A control plane of a suite's own in which the chart is installed already.
import { startControlPlane, type ControlPlane } from '../../dev/cluster/control-plane.ts';
import { askGlobalSetup } from './cluster.ts';

/**
 * Starts one as `install` without values of one's own leaves it. A real Helm has installed the chart that is there now,
 * into the one control plane whose data all of these begin with: it is made anew for each run of the tests. So the UIDs
 * of what Kubernetes and the chart make are the same in all of them, and so are their keys: a credential of one is good
 * in another.
 */
export async function startInstalledCluster(): Promise<ControlPlane> {
  const from: string = JSON.parse(await askGlobalSetup('/installed'));
  return startControlPlane({ from });
}
