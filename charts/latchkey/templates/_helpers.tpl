{{- define "latchkey.selector" -}}
app.kubernetes.io/name: latchkey
app.kubernetes.io/instance: {{ .Release.Name }}
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
{{- $own := dict "listenAddress" "0.0.0.0:8443" "metricsListenAddress" "0.0.0.0:9402" -}}
{{- if not .Values.settings.issuerUrl }}{{ $_ := set $own "issuerUrl" .Values.settings.externalUrl }}{{ end -}}
{{- $_ := required "tls.secretName: the Secret with the certificate of the portal" .Values.tls.secretName -}}
{{- $_ := set $own "tlsCertFile" "/etc/latchkey/tls/tls.crt" -}}
{{- $_ := set $own "tlsKeyFile" "/etc/latchkey/tls/tls.key" -}}
{{- if .Values.ldapCA.configMap }}{{ $_ := set $own "ldapCaFile" (printf "/etc/latchkey/ldap-ca/%s" .Values.ldapCA.key) }}{{ end -}}
{{- merge $own .Values.settings | toYaml -}}
{{- end }}
