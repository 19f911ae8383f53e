// The version of the control plane, and how its programs are built from the Go module beside this file.
import { join } from 'node:path';
import { goModVersions, type GoModule } from '../go/module.ts';

const FOLDER = join(import.meta.dirname, 'binaries');

/** Of Kubernetes, for instance `v1.37.2`. */
export function kubernetesVersion(): string {
  return goModVersions(FOLDER, 'k8s.io/kubernetes').version;
}

export function controlPlaneModule(): GoModule {
  const { version, go } = goModVersions(FOLDER, 'k8s.io/kubernetes');
  return {
    folder: FOLDER,
    what: `the Kubernetes ${version} control plane`,
    cacheName: `control-plane-${version}`,
    go,
    linkerFlags: linkerFlags(version),
    renamed: { server: 'etcd' },
    instead:
      'Or point KUBEBUILDER_ASSETS at a folder with etcd, kube-apiserver, kube-controller-manager and kubectl.',
    cost: 'ten minutes and 5 GB of disk',
  };
}

// Without the stamp the programs say v0.0.0-master, which kubectl and Helm do not take for a version.
function linkerFlags(version: string): string {
  const [major, minor] = version.slice(1).split('.');
  const stamp = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((name) => [
    `-X ${name}.gitVersion=${version}`,
    `-X ${name}.gitMajor=${major}`,
    `-X ${name}.gitMinor=${minor}`,
  ]);
  return ['-s', '-w', ...stamp].join(' ');
}
