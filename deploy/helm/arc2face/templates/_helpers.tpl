{{- define "arc2face.name" -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{/* Labels of a part: (dict "root" $ "part" "gateway"). */}}
{{- define "arc2face.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "arc2face.labels" -}}
{{ include "arc2face.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{/* What no container of ours may do. */}}
{{- define "arc2face.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* 65532 is the user of the gateway's image; Triton's image runs as anybody. */}}
{{- define "arc2face.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* Spreads a part's pods over nodes and zones where that is possible. */}}
{{- define "arc2face.spread" -}}
- maxSkew: 1
  topologyKey: kubernetes.io/hostname
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {{- include "arc2face.selector" . | nindent 6 }}
- maxSkew: 1
  topologyKey: topology.kubernetes.io/zone
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {{- include "arc2face.selector" . | nindent 6 }}
{{- end }}

{{/* Where callers come over HTTP. Where that is encrypted, the plain port is shut. */}}
{{- define "arc2face.callersHttp" -}}
{{ empty .Values.security.tls.secretName | ternary "http" "https" }}
{{- end }}

{{/* The gateway's application.properties. */}}
{{- define "arc2face.properties" -}}
quarkus.grpc.server.host=0.0.0.0
quarkus.http.host=0.0.0.0
quarkus.management.host=0.0.0.0
arc2face.triton.targets={{ if .Values.triton.enabled }}{{ include "arc2face.name" . }}-triton:8001{{ else }}{{ .Values.gateway.tritonTargets }}{{ end }}
arc2face.limits.shutdown-grace={{ .Values.gateway.shutdownGraceSeconds }}s
{{- with .Values.security }}
{{- if .tls.secretName }}
arc2face.security.tls.certificate=/app/secrets/tls/tls.crt
arc2face.security.tls.key=/app/secrets/tls/tls.key
quarkus.http.insecure-requests=disabled
quarkus.http.ssl-port=8443
quarkus.http.ssl.certificate.files=/app/secrets/tls/tls.crt
quarkus.http.ssl.certificate.key-files=/app/secrets/tls/tls.key
quarkus.http.ssl.certificate.reload-period=1m
{{- if .tls.clientCertificates }}
arc2face.security.tls.client-ca=/app/secrets/tls/ca.crt
{{- end }}
{{- end }}
{{- if .apiKeys.secretName }}
arc2face.security.api-keys-file=/app/secrets/api-keys/{{ .apiKeys.key }}
{{- end }}
{{- with .jwt }}
{{- if .issuer }}
arc2face.security.jwt.issuer={{ .issuer }}
arc2face.security.jwt.audience={{ .audience }}
{{- with .jwks }}
arc2face.security.jwt.jwks={{ . }}
{{- end }}
{{- end }}
{{- end }}
{{- if .allowAnonymous }}
arc2face.security.allow-anonymous=true
{{- end }}
{{- end }}
{{- if .Values.tritonTls.gatewaySecretName }}
arc2face.triton.tls.ca=/app/secrets/triton/ca.crt
arc2face.triton.tls.certificate=/app/secrets/triton/tls.crt
arc2face.triton.tls.key=/app/secrets/triton/tls.key
{{- end }}
{{- with .Values.receipts }}
{{- if .secretName }}
arc2face.receipts.identity-key=/app/secrets/receipts/identity.key
{{- if .signed }}
arc2face.receipts.signing-key=/app/secrets/receipts/signing.pem
arc2face.receipts.public-keys=/app/secrets/receipts/public.pem
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.tracing }}
{{- if .endpoint }}
otel.exporter.otlp.endpoint={{ .endpoint }}
otel.traces.sampler=parentbased_traceidratio
otel.traces.sampler.arg={{ .ratio }}
{{- end }}
{{- end }}
{{- range $key, $value := .Values.gateway.config }}
{{ $key }}={{ kindIs "string" $value | ternary $value (toJson $value) }}{{/* a number as it was written, not 5e+07 */}}
{{- end }}
{{- end }}

{{/* Fails where the values make no sense together, rather than pods that do not start. */}}
{{- define "arc2face.check" -}}
{{- with .Values.security }}
{{- if not (or .apiKeys.secretName .jwt.issuer (and .tls.secretName .tls.clientCertificates) .allowAnonymous) }}
{{- fail "security: say who may call, by apiKeys.secretName, by jwt.issuer and jwt.audience, or by tls.secretName and tls.clientCertificates; or that everybody may, by security.allowAnonymous: true" }}
{{- end }}
{{- if and .tls.clientCertificates (not .tls.secretName) }}
{{- fail "security.tls.clientCertificates needs security.tls.secretName" }}
{{- end }}
{{- if ne (empty .jwt.issuer) (empty .jwt.audience) }}
{{- fail "security.jwt.issuer and security.jwt.audience go together" }}
{{- end }}
{{- end }}
{{- with .Values.tritonTls }}
{{- if and $.Values.triton.enabled (ne (empty .secretName) (empty .gatewaySecretName)) }}
{{- fail "tritonTls.secretName and tritonTls.gatewaySecretName go together: each side checks the other's certificate" }}
{{- end }}
{{- end }}
{{- if and .Values.receipts.signed (not .Values.receipts.secretName) }}
{{- fail "receipts.signed needs receipts.secretName" }}
{{- end }}
{{- if not (or .Values.triton.enabled .Values.gateway.tritonTargets) }}
{{- fail "gateway.tritonTargets is needed where triton.enabled is false" }}
{{- end }}
{{- if and .Values.networkPolicy.enabled (not .Values.gateway.allowTo) }}
{{- if or .Values.security.jwt.issuer (index .Values.gateway.config "arc2face.policy.url") }}
{{- fail "gateway.allowTo must let the gateway reach the issuer of tokens or the policy service (networkPolicy.enabled)" }}
{{- end }}
{{- end }}
{{- if and .Values.networkPolicy.enabled .Values.tracing.endpoint (not .Values.tracing.allowTo) }}
{{- fail "tracing.allowTo must let gateways and Tritons reach the collector (networkPolicy.enabled)" }}
{{- end }}
{{- end }}
