// Builds what tests and demo run on, where it is not there yet: so that no time limit of a test counts it.
import { findBinaries } from './cluster/binaries.ts';
import { findHelm } from './helm/helm.ts';

console.log(Object.values(await findBinaries()).join('\n'));
console.log(await findHelm());
