{{- define "lanewatch.labels" -}}
app.kubernetes.io/part-of: lanewatch
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{- define "lanewatch.selector" -}}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "lanewatch.image" -}}
{{ .repository }}{{ if .tag }}:{{ .tag }}{{ end }}
{{- end }}

{{/* What every pod has: nobody's user, nothing to write to, no token of the cluster. */}}
{{- define "lanewatch.podSecurity" -}}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  seccompProfile: { type: RuntimeDefault }
{{- with .Values.images.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "lanewatch.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{/* Replicas on different nodes where there are any. */}}
{{- define "lanewatch.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "lanewatch.selector" . | nindent 8 }}
{{- end }}

{{/* Ready says whether work may be sent; alive, whether a restart would help. A first start migrates. */}}
{{- define "lanewatch.probes" -}}
startupProbe: { httpGet: { path: /healthz, port: http }, periodSeconds: 5, failureThreshold: 60 }
livenessProbe: { httpGet: { path: /healthz, port: http }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }
readinessProbe: { httpGet: { path: /readyz, port: http }, periodSeconds: 5, timeoutSeconds: 5 }
{{- end }}

{{- define "lanewatch.busEnv" -}}
- { name: BUS_URL_FILE, value: /secrets/bus-url }
- { name: TOPIC_PREFIX, value: {{ .Values.kafka.topicPrefix | quote }} }
- { name: BUS_RETENTION_HOURS, value: {{ .Values.kafka.retentionHours | quote }} }
{{- end }}

{{- define "lanewatch.clickhouseEnv" -}}
- { name: CLICKHOUSE_URL, value: {{ .Values.clickhouse.url | quote }} }
- { name: CLICKHOUSE_DATABASE, value: {{ .Values.clickhouse.database | quote }} }
- { name: CLICKHOUSE_USER, value: {{ .Values.clickhouse.user | quote }} }
- { name: CLICKHOUSE_PASSWORD_FILE, value: /secrets/clickhouse-password }
{{- end }}

{{/* Further settings of a service from values. */}}
{{- define "lanewatch.moreEnv" -}}
{{- range $name, $value := . }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end }}
