// A CustomResourceDefinition as a template of the chart: behind a value, and kept when the release goes.

const METADATA = /^metadata:\n {2}name: (\S+)\n/m;

/** @param text its YAML, as in crds/ */
export function chartCrd(text: string): string {
  // What looks like a template action in a description is text.
  const escaped = text.replaceAll(/\{\{|\}\}/g, (braces) => `{{ "${braces}" }}`);
  const withMetadata = escaped.replace(
    METADATA,
    `metadata:
  name: $1
  labels:
    {{- include "latchkey.labels" . | nindent 4 }}
  annotations:
    # Else every User would go with the release.
    helm.sh/resource-policy: keep
`,
  );
  return `{{- if .Values.crds.enabled }}\n${withMetadata}{{- end }}\n`;
}
