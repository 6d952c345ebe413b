// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// engines are the Go benchmarks that measure one room by itself, beside the library or the git that it stands on.
var engines = []struct{ row, pkg, bench, time string }{
	{"render-helm", "./test/render/helm", "BenchmarkRender", "1s"},
	{"render-kustomize", "./test/render/kustomize", ".", "1s"},
	{"render-worker", "./internal/worker", ".", "1s"},
	{"desired", "./internal/desired", ".", "1s"},
	{"large-repository", "./internal/source", "BenchmarkLargeRepository", "3x"},
}

// measureEngines runs them and reports a line for each.
func measureEngines(ctx context.Context, _ config, _ string) error {
	for _, e := range engines {
		results, err := benchmark(ctx, e.pkg, e.bench, e.time)
		if err != nil {
			return fmt.Errorf("%s: %w", e.row, err)
		}
		for _, result := range results {
			result["row"] = e.row
			report(result)
		}
	}
	return nil
}

// benchmark runs benchmarks of a package and returns the figures of each.
func benchmark(ctx context.Context, pkg, pattern, benchtime string) ([]map[string]any, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", pattern, "-benchtime", benchtime, "-timeout", "30m", pkg)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	return parseBenchmarks(out), nil
}

// parseBenchmarks reads what `go test -bench` prints: https://go.dev/design/14313-benchmark-format.
func parseBenchmarks(out []byte) []map[string]any {
	var results []map[string]any
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		result := map[string]any{"benchmark": strings.TrimPrefix(fields[0], "Benchmark")}
		for i := 2; i+1 < len(fields); i += 2 {
			if value, err := strconv.ParseFloat(fields[i], 64); err == nil {
				result[fields[i+1]] = value
			}
		}
		results = append(results, result)
	}
	return results
}
