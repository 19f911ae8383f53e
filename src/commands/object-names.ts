// Settings that name an object of Kubernetes: it goes into a path of the API, so it is held to be a name.
import { z } from 'zod';
import { DNS_LABEL } from '../api/names.ts';

/** RFC 1123, as Kubernetes has it for most objects. */
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

const NO_SECRET_NAME =
  "must be a name of Kubernetes: at most 253 of a-z, 0-9, '-' and '.'; write for example ldap-bind";

/** The name of a Secret; it goes into a path of the API. */
export const secretName = (description: string) =>
  z.string('is required').max(253, NO_SECRET_NAME).regex(DNS_SUBDOMAIN, NO_SECRET_NAME).describe(description);

/** The name of a User or a namespace; it goes into a path of the API. */
export const objectName = (description: string) =>
  z
    .string('is required')
    .regex(
      DNS_LABEL,
      "must be a name of Kubernetes: at most 63 of a-z, 0-9 and '-', and no '-' at either end; write for example ada",
    )
    .describe(description);
