// SPDX-License-Identifier: Apache-2.0

package plane

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"text/template"
	"time"
)

// configFiles are what components read besides their flags. They are templates, except for the
// stages, whose braces belong to kwok.
//
//go:embed configs
var configFiles embed.FS

// writeConfigs writes the configuration files into the plane's directory.
func (p *plane) writeConfigs() error {
	values := map[string]any{
		"SchedulerKubeconfig": p.kubeconfigOf("kube-scheduler"),
		"KubeletPort":         p.ports.kubelet,
		"KwokPort":            p.ports.kwok,
		"PodCIDR":             podCIDR,
		"PodLog":              p.path(podLogFile),
	}
	for _, name := range []string{"audit-policy.yaml", "kube-scheduler.yaml", "kwok.yaml"} {
		if err := p.writeConfig(name, values); err != nil {
			return fmt.Errorf("configuration %s: %w", name, err)
		}
	}
	return p.writePodLog()
}

func (p *plane) writeConfig(name string, values map[string]any) error {
	t, err := template.New(name).Option("missingkey=error").ParseFS(configFiles, "configs/"+name)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, values); err != nil {
		return err
	}
	if name == "kwok.yaml" {
		stages, err := configFiles.ReadFile("configs/stages.yaml")
		if err != nil {
			return err
		}
		out.Write(stages)
	}
	return os.WriteFile(p.config(name), out.Bytes(), 0o600)
}

// writePodLog makes the log that all containers share, in the format of a container
// runtime. It is appended to by whoever wants pods to say something.
func (p *plane) writePodLog() error {
	path := p.path(podLogFile)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	now := time.Now().UTC().Format(time.RFC3339Nano)
	lines := now + " stdout F simulated container started\n" +
		now + " stderr F simulated container writes to both streams\n"
	return os.WriteFile(path, []byte(lines), 0o600)
}
