// Builds what tests, demo and bench run on, where it is not there yet: so that no time limit of a test counts it.
import { builtContenders } from '../bench/build-contenders.ts';
import { findBinaries } from './cluster/binaries.ts';
import { findHelm } from './helm/helm.ts';

console.log(Object.values(await findBinaries()).join('\n'));
console.log(await findHelm());
console.log(await builtContenders());
