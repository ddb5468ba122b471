{{- /* Names of what the chart makes: the release's own, so that two releases may share a namespace. */ -}}
{{- define "bucketline.fullname" -}}
{{- if contains "bucketline" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-bucketline" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- /* What a Deployment, a Service or a policy selects by. The name is the job of deploy/prometheus/alerts.yml. */ -}}
{{- define "bucketline.selector" -}}
app.kubernetes.io/name: bucketline-{{ .part }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{- define "bucketline.labels" -}}
{{ include "bucketline.selector" . }}
app.kubernetes.io/part-of: bucketline
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "bucketline.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- /* What both Deployments say of a pod, beside its containers. */ -}}
{{- define "bucketline.pod" -}}
serviceAccountName: {{ include "bucketline.fullname" .root }}-{{ .part }}
automountServiceAccountToken: false
# A service called bucketline-... would set BUCKETLINE_..._PORT in every pod.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 1000 # node, of the image
  runAsGroup: 1000
  fsGroup: 1000
  seccompProfile: { type: RuntimeDefault }
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "bucketline.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{- define "bucketline.account" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "bucketline.fullname" .root }}-{{ .part }}
  labels: {{- include "bucketline.labels" . | nindent 4 }}
  {{- with .values.serviceAccountAnnotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
# Web identity mounts a token of its own; nothing here speaks to Kubernetes.
automountServiceAccountToken: false
{{- end }}
