// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"io"

	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/output"
)

// Row is one line about a resource of an application.
type Row struct {
	Group, Kind, Namespace, Name  string
	Status, Health, Hook, Message string
}

var header = []string{"GROUP", "KIND", "NAMESPACE", "NAME", "STATUS", "HEALTH", "HOOK", "MESSAGE"}

func (r Row) cells() []string {
	return []string{r.Group, r.Kind, r.Namespace, r.Name, r.Status, r.Health, r.Hook, oneLine(r.Message)}
}

type rowKey struct{ group, kind, namespace, name string }

func (r Row) key() rowKey { return rowKey{r.Group, r.Kind, r.Namespace, r.Name} }

// Rows joins the resources of the last comparison with what the last operation did to them. What the operation touched
// and is no resource now (hooks, pruned objects) comes last.
func Rows(app *v1alpha1.Application) []Row {
	results := map[rowKey]*v1alpha1.ResourceResult{}
	var order []rowKey
	if state := app.Status.OperationState; state != nil && state.SyncResult != nil {
		for _, result := range state.SyncResult.Resources {
			key := rowKey{result.Group, result.Kind, result.Namespace, result.Name}
			results[key] = result
			order = append(order, key)
		}
	}
	var rows []Row
	for _, res := range app.Status.Resources {
		row := Row{Group: res.Group, Kind: res.Kind, Namespace: res.Namespace, Name: res.Name, Status: string(res.Status)}
		if res.Health != nil {
			row.Health = string(res.Health.Status)
		}
		if result := results[row.key()]; result != nil {
			row.Hook, row.Message = string(result.HookType), result.Message
			delete(results, row.key())
		}
		rows = append(rows, row)
	}
	for _, key := range order {
		if result := results[key]; result != nil {
			delete(results, key)
			rows = append(rows, resultRow(result))
		}
	}
	return rows
}

func resultRow(result *v1alpha1.ResourceResult) Row {
	row := Row{
		Group: result.Group, Kind: result.Kind, Namespace: result.Namespace, Name: result.Name,
		Status: string(result.Status), Hook: string(result.HookType), Message: result.Message,
	}
	if result.HookType != "" {
		row.Status = string(result.HookPhase)
	}
	return row
}

// Resources writes a table of the resources, if there are any.
func Resources(w io.Writer, app *v1alpha1.Application) {
	rows := Rows(app)
	if len(rows) == 0 {
		return
	}
	cells := make([][]string, len(rows))
	for i, row := range rows {
		cells[i] = row.cells()
	}
	fmt.Fprintln(w)
	output.Table(w, header, cells)
}
