{{- define "latchkey.selector" -}}
app.kubernetes.io/name: latchkey
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "latchkey.labels" -}}
{{ include "latchkey.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- end }}

{{- define "latchkey.image" -}}
{{- $repository := required "image.repository: where your registry has Latchkey's image" .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{ $repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ $repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end }}

{{/* The configuration file: the settings of the values, and those that the chart decides. */}}
{{- define "latchkey.config" -}}
{{- $_ := required "settings.externalUrl: where people reach the portal, for example https://latchkey.example.org" .Values.settings.externalUrl -}}
{{- if eq (default "local" .Values.settings.directory) "ldap" -}}
{{- $_ := required "settings.ldapUrl: where the directory is, for example ldaps://ldap.example.org" .Values.settings.ldapUrl -}}
{{- $_ := required "settings.ldapBaseDn: where users are searched, for example ou=people,dc=example,dc=org" .Values.settings.ldapBaseDn -}}
{{- end -}}
{{- $host := ternary "[::]" "0.0.0.0" .Values.ipv6.enabled -}}
{{- $own := dict "listenAddress" (printf "%s:8443" $host) "metricsListenAddress" (printf "%s:9402" $host) -}}
{{- if not .Values.settings.issuerUrl }}{{ $_ := set $own "issuerUrl" .Values.settings.externalUrl }}{{ end -}}
{{- if .Values.tls.secretName -}}
{{- $_ := set $own "tlsCertFile" "/etc/latchkey/tls/tls.crt" -}}
{{- $_ := set $own "tlsKeyFile" "/etc/latchkey/tls/tls.key" -}}
{{- end -}}
{{- if .Values.ldapCA.configMap }}{{ $_ := set $own "ldapCaFile" (printf "/etc/latchkey/ldap-ca/%s" .Values.ldapCA.key) }}{{ end -}}
{{- if .Values.license.enabled }}
{{- $_ := required "license.publicKey: the vendor's public key, as PEM or JWK Set" .Values.license.publicKey -}}
{{- $_ := set $own "licensePublicKeyFile" "/etc/latchkey/config/license-public-key" -}}
{{- end -}}
{{- merge $own .Values.settings | toYaml -}}
{{- end }}

{{/* Of the Secrets in its own namespace, those that the operator reads, and those that it makes and keeps: all that it
     can see. A feature that needs another one adds it here. */}}
{{- define "latchkey.secretsRead" -}}
{{- $settings := .Values.settings -}}
{{- $secrets := list "latchkey-callers" (default "latchkey-local-accounts" $settings.localAccountsSecret) (default "latchkey-ldap-bind" $settings.ldapBindSecret) -}}
{{- if .Values.license.enabled }}{{ $secrets = append $secrets "latchkey-license" }}{{ end -}}
{{- toJson $secrets -}}
{{- end }}
{{- define "latchkey.secretsWritten" -}}
{{- list "latchkey-signing-keys" "latchkey-tls" | toJson -}}
{{- end }}

{{- define "latchkey.username" -}}
system:serviceaccount:{{ .Release.Namespace }}:latchkey
{{- end }}

{{/* The head of an admission policy about what the operator itself does: fail-closed, and for nobody else. */}}
{{- define "latchkey.operatorPolicy" -}}
failurePolicy: Fail
matchConditions:
  - name: the-operator
    expression: request.userInfo.username == '{{ include "latchkey.username" . }}'
{{- end }}

{{/* The binding that puts a policy into force; a list of the context and the policy's name. */}}
{{- define "latchkey.policyBinding" -}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ index . 1 }}
  labels:
    {{- include "latchkey.labels" (index . 0) | nindent 4 }}
spec:
  policyName: {{ index . 1 }}
  validationActions: [Deny]
{{- end }}

{{/* In CEL: the value of the label that says who made a namespace; '' without it. */}}
{{- define "latchkey.namespaceKind" -}}
{{ . }}.metadata.?labels[?'latchkey.dev/namespace'].orValue('')
{{- end }}

{{/* A validation: a finalizer or an owner that whoever holds the operator's credentials has put on something would outlast
     them, and keep the namespace of others from ever going. */}}
{{- define "latchkey.hangsOnNothing" -}}
- expression: |-
    request.operation == 'DELETE' ||
    (object.metadata.?finalizers.orValue([]).all(name,
      oldObject != null && name in oldObject.metadata.?finalizers.orValue([])) &&
     object.metadata.?ownerReferences.orValue([]).all(owner,
      oldObject != null && owner in oldObject.metadata.?ownerReferences.orValue([])))
  message: Latchkey puts no finalizer and no owner on what it writes
  reason: Forbidden
{{- end }}
