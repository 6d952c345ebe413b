{{- define "bowline.labels" -}}
app.kubernetes.io/name: bowline
app.kubernetes.io/part-of: bowline
{{- end }}
