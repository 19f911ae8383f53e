// The response headers of every answer, so that nothing we serve runs, frames, sniffs or caches by accident.

/** A route that serves more than data sets its own in their place. */
export const baselineHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
};
