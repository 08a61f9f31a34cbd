{{- define "lockstep.name" -}}
{{- ternary .Release.Name (printf "%s-lockstep" .Release.Name) (contains "lockstep" .Release.Name) | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "lockstep.selector" -}}
app.kubernetes.io/name: lockstep
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "lockstep.labels" -}}
{{ include "lockstep.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* What every process is told. Takes the root and, as `own`, the role's own settings. */}}
{{- define "lockstep.environment" -}}
{{- $ours := dict
  "LOCKSTEP_KAFKA_BOOTSTRAP" .root.Values.kafka.bootstrap
  "LOCKSTEP_CONNECTIONS" (printf "/etc/lockstep/%s" .root.Values.connections.key)
  "LOCKSTEP_PARTITIONS" (int .root.Values.topics.partitions)
  "LOCKSTEP_REPLICATION" (int .root.Values.topics.replication)
  "LOCKSTEP_INTAKE_HOST" "0.0.0.0"
  "LOCKSTEP_INTAKE_PORT" 8080
  "LOCKSTEP_HEALTH_HOST" "0.0.0.0"
  "LOCKSTEP_HEALTH_PORT" 9100 -}}
{{- range $name, $value := mergeOverwrite $ours (deepCopy .root.Values.settings) (deepCopy (default dict .own)) }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end -}}

{{/* The image with everything it may read; it writes to /tmp alone. */}}
{{- define "lockstep.container" -}}
image: {{ printf "%s:%s" .root.Values.image.repository (.root.Values.image.tag | default .root.Chart.AppVersion) | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
env:
  {{- include "lockstep.environment" . | trim | nindent 2 }}
{{- with .root.Values.secrets }}
envFrom:
  {{- range . }}
  - secretRef: {name: {{ . | quote }}}
  {{- end }}
{{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: connections, mountPath: /etc/lockstep, readOnly: true}
  - {name: tmp, mountPath: /tmp}
  {{- range .mounts }}
  - {{ toYaml . | nindent 4 | trim }}
  {{- end }}
  {{- with .root.Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "lockstep.pod" -}}
automountServiceAccountToken: false
{{- with .root.Values.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
volumes:
  - name: connections
    secret: {secretName: {{ required "connections.secret: expected the name of the Secret with the connections file" .root.Values.connections.secret | quote }}}
  - name: tmp
    emptyDir: {}
  {{- range .volumes }}
  - {{ toYaml . | nindent 4 | trim }}
  {{- end }}
  {{- with .root.Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}
