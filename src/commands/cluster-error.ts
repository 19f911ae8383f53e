// Says to whoever runs a command what a refusal of the API server, or its silence, means for them, and what to do next.
import { LatchkeyError } from '../errors.ts';
import { ApiError, ApiUnreachableError } from '../kubernetes/api-error.ts';

/**
 * `ClusterUnreachable`: no answer. `NotKnown`: the API server does not take the credentials. `NotAllowed`: they lack a
 * right. `NotInstalled`: the cluster knows none of Latchkey's resources. `NotThere`: it has no such object or namespace.
 */
export class ClusterError extends LatchkeyError<
  'ClusterUnreachable' | 'NotKnown' | 'NotAllowed' | 'NotInstalled' | 'NotThere'
> {}

/** @returns what to throw in place of `error`: itself where nothing better is known */
export function forPeople(error: unknown): unknown {
  if (error instanceof ApiUnreachableError)
    return new ClusterError(
      'ClusterUnreachable',
      `The API server did not answer (${error.message}). Check the server in your kubeconfig, and whether kubectl reaches it.`,
      { cause: error },
    );
  if (!(error instanceof ApiError)) return error;
  const { message } = error;
  switch (error.status) {
    case 401:
      return new ClusterError(
        'NotKnown',
        'The API server does not take the credentials in your kubeconfig: they are wrong, or have expired. Log in again; "kubectl auth whoami" shows whether it knows you.',
        { cause: error },
      );
    case 403:
      return new ClusterError(
        'NotAllowed',
        `You may not do this. Ask an admin of the cluster for the right. ${message}`,
        { cause: error },
      );
    case 404:
      // Of a resource that it does not know, an API server has no Status to say so.
      return error.reason === ''
        ? new ClusterError(
            'NotInstalled',
            'Latchkey is not installed in this cluster. Check the context of your kubeconfig.',
            { cause: error },
          )
        : new ClusterError(
            'NotThere',
            `That is not there. Check the name, --namespace, and the context of your kubeconfig. ${message}`,
            { cause: error },
          );
    default:
      return error;
  }
}
