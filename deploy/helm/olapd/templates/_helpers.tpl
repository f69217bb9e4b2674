{{- define "olapd.name" -}}{{ .Release.Name }}-olapd{{- end -}}
{{- define "olapd.labels" -}}
app.kubernetes.io/name: olapd
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
