// Finds the programs of the control plane: those the caller brings, else those built from the Go modules.
import { join } from 'node:path';
import { DevError } from '../errors.ts';
import { builtPrograms } from '../go/build.ts';
import { isExecutable } from '../installed-program.ts';
import { controlPlaneModule } from './version.ts';

const NAMES = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'] as const;

export type Binaries = Readonly<Record<(typeof NAMES)[number], string>>;

/**
 * The paths of the programs. `KUBEBUILDER_ASSETS` (the convention of controller-runtime's envtest) names a folder
 * to take them from; without it they are built once, which takes minutes, and kept in the user's cache folder.
 * @throws DevError `BinaryMissing`, `GoMissing`, `GoTooOld` or `BuildFailed`, saying what to install
 */
export async function findBinaries(env: NodeJS.ProcessEnv = process.env): Promise<Binaries> {
  const assets = env['KUBEBUILDER_ASSETS'];
  const folder = assets ? assets : await builtPrograms(controlPlaneModule(), env);
  const path = (name: (typeof NAMES)[number]): string => {
    const file = join(folder, name);
    if (!isExecutable(file)) throw missing(folder, name);
    return file;
  };
  return {
    etcd: path('etcd'),
    'kube-apiserver': path('kube-apiserver'),
    'kube-controller-manager': path('kube-controller-manager'),
    kubectl: path('kubectl'),
  };
}

function missing(folder: string, name: string): DevError {
  const advice =
    name === 'kube-controller-manager'
      ? 'setup-envtest does not bring it: put the one of the same Kubernetes release beside the others ' +
        '(https://dl.k8s.io/<version>/bin/<os>/<arch>/kube-controller-manager)'
      : `the folder must hold ${NAMES.join(', ')}`;
  return new DevError(
    'BinaryMissing',
    `${folder} has no program ${name}: ${advice}. Or unset KUBEBUILDER_ASSETS to build them from source with Go.`,
  );
}
