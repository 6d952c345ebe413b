// SPDX-License-Identifier: Apache-2.0

package proj

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/bowline-cd/bowline/api/argoproj/rpc/project"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/cli/command"
	"github.com/bowline-cd/bowline/internal/cli/complete"
	"github.com/bowline-cd/bowline/internal/cli/output"
	"github.com/bowline-cd/bowline/internal/cli/session"
	"github.com/bowline-cd/bowline/internal/fault"
)

func newWindowsCmd(s *session.Session) *cobra.Command {
	return command.Group("windows", "Work with the sync windows of projects", newWindowListCmd(s), newWindowAddCmd(s), newWindowUpdateCmd(s), newWindowDeleteCmd(s),
		windowVerb(s, "enable-manual-sync", "Let manual syncs through a window", func(w *v1alpha1.SyncWindow) { w.ManualSync = true }),
		windowVerb(s, "disable-manual-sync", "Let manual syncs through a window no longer", func(w *v1alpha1.SyncWindow) { w.ManualSync = false }),
		windowVerb(s, "enable-sync-overrun", "Let a sync go on that began when it was allowed", func(w *v1alpha1.SyncWindow) { w.SyncOverrun = true }),
		windowVerb(s, "disable-sync-overrun", "Let a sync go on no longer that began when it was allowed", func(w *v1alpha1.SyncWindow) { w.SyncOverrun = false }))
}

// windowOf finds a window by the number that the list shows.
func windowOf(cmd *cobra.Command, p *v1alpha1.AppProject, id string) (int, error) {
	n, err := strconv.Atoi(id)
	if err != nil {
		return 0, command.Usage(cmd, fmt.Sprintf("ID is %q and has to be a number of `bowline proj windows list`", id))
	}
	if n < 0 || n >= len(p.Spec.SyncWindows) {
		return 0, missing(p, "sync window "+id)
	}
	return n, nil
}

// windowVerb is a verb that changes one thing of a window.
func windowVerb(s *session.Session, name, short string, change func(*v1alpha1.SyncWindow)) *cobra.Command {
	return &cobra.Command{
		Use: name + " PROJECT ID", Short: short, Args: command.Exactly("PROJECT", "ID"), ValidArgsFunction: complete.First(s, complete.Projects),
		Example: command.Example("bowline proj windows " + name + " shop 0"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return update(cmd.Context(), s, args[0], func(p *v1alpha1.AppProject) (bool, error) {
				i, err := windowOf(cmd, p, args[1])
				if err != nil {
					return false, err
				}
				change(p.Spec.SyncWindows[i])
				return true, nil
			})
		},
	}
}

// bindWindow adds the flags that describe a window.
func bindWindow(flags *pflag.FlagSet, w *v1alpha1.SyncWindow) {
	flags.StringVar(&w.Schedule, "schedule", "", "when it begins, in cron format, such as '0 22 * * *'")
	flags.StringVar(&w.Duration, "duration", "", "how long it lasts, such as 1h")
	flags.StringSliceVar(&w.Applications, "applications", nil, "applications it is for; globs")
	flags.StringSliceVar(&w.Namespaces, "namespaces", nil, "namespaces it is for; globs")
	flags.StringSliceVar(&w.Clusters, "clusters", nil, "clusters it is for; globs")
	flags.StringVar(&w.TimeZone, "time-zone", "UTC", "time zone of the schedule, such as Europe/Berlin")
	flags.StringVar(&w.Description, "description", "", "what the window is for")
}

func newWindowAddCmd(s *session.Session) *cobra.Command {
	w := v1alpha1.SyncWindow{}
	cmd := &cobra.Command{
		Use: "add PROJECT", Short: "Add a sync window", Args: command.Exactly("PROJECT"), ValidArgsFunction: complete.First(s, complete.Projects),
		Example: command.Example("bowline proj windows add shop -k deny --schedule '0 22 * * *' --duration 8h --applications '*'"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case w.Kind == "" || w.Schedule == "" || w.Duration == "":
				return command.Usage(cmd, "it needs --kind, --schedule and --duration")
			case len(w.Applications)+len(w.Namespaces)+len(w.Clusters) == 0:
				return command.Usage(cmd, "it needs --applications, --namespaces or --clusters")
			}
			return update(cmd.Context(), s, args[0], func(p *v1alpha1.AppProject) (bool, error) {
				if slices.ContainsFunc(p.Spec.SyncWindows, func(have *v1alpha1.SyncWindow) bool { return have != nil && reflect.DeepEqual(*have, w) }) {
					return false, already(p, "sync window")
				}
				p.Spec.SyncWindows = append(p.Spec.SyncWindows, &w)
				return true, nil
			})
		},
	}
	bindWindow(cmd.Flags(), &w)
	cmd.Flags().StringVarP(&w.Kind, "kind", "k", "", "allow or deny")
	cmd.Flags().BoolVar(&w.ManualSync, "manual-sync", false, "let manual syncs through")
	cmd.Flags().BoolVar(&w.SyncOverrun, "sync-overrun", false, "let a sync go on that began when it was allowed")
	cmd.Flags().BoolVar(&w.UseAndOperator, "use-and-operator", false, "applications, namespaces and clusters all have to match, not any of them")
	return cmd
}

func newWindowUpdateCmd(s *session.Session) *cobra.Command {
	wanted := v1alpha1.SyncWindow{}
	cmd := &cobra.Command{
		Use: "update PROJECT ID", Short: "Change a sync window", Args: command.Exactly("PROJECT", "ID"), ValidArgsFunction: complete.First(s, complete.Projects),
		Example: command.Example("bowline proj windows update shop 0 --duration 4h"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return update(cmd.Context(), s, args[0], func(p *v1alpha1.AppProject) (bool, error) {
				i, err := windowOf(cmd, p, args[1])
				if err != nil {
					return false, err
				}
				if !merge(cmd.Flags(), p.Spec.SyncWindows[i], wanted) {
					return false, command.Usage(cmd, "no flag says what to change")
				}
				return true, nil
			})
		},
	}
	bindWindow(cmd.Flags(), &wanted)
	return cmd
}

// merge takes over what flags gave, and reports whether that is anything.
func merge(flags *pflag.FlagSet, into *v1alpha1.SyncWindow, from v1alpha1.SyncWindow) (given bool) {
	for name, set := range map[string]func(){
		"schedule":     func() { into.Schedule = from.Schedule },
		"duration":     func() { into.Duration = from.Duration },
		"applications": func() { into.Applications = from.Applications },
		"namespaces":   func() { into.Namespaces = from.Namespaces },
		"clusters":     func() { into.Clusters = from.Clusters },
		"time-zone":    func() { into.TimeZone = from.TimeZone },
		"description":  func() { into.Description = from.Description },
	} {
		if flags.Changed(name) {
			set()
			given = true
		}
	}
	return given
}

func newWindowDeleteCmd(s *session.Session) *cobra.Command {
	return &cobra.Command{
		Use: "delete PROJECT ID", Short: "Delete a sync window", Args: command.Exactly("PROJECT", "ID"), ValidArgsFunction: complete.First(s, complete.Projects),
		Example: command.Example("bowline proj windows delete shop 0"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if yes, err := confirmed(cmd, s, "sync window '"+args[1]+"'"); err != nil || !yes {
				return err
			}
			var chosen *v1alpha1.SyncWindow
			return update(cmd.Context(), s, args[0], func(p *v1alpha1.AppProject) (bool, error) {
				i, err := windowOf(cmd, p, args[1])
				if err != nil {
					return false, err
				}
				if chosen != nil && !reflect.DeepEqual(*chosen, *p.Spec.SyncWindows[i]) { // the numbers moved
					return false, fault.New(fault.Mistake, "delete", "sync window "+args[1]+" of project "+p.Name, "", "the windows were changed meanwhile",
						"look at `bowline proj windows list "+p.Name+"` again")
				}
				chosen = p.Spec.SyncWindows[i].DeepCopy()
				p.Spec.SyncWindows = slices.Delete(p.Spec.SyncWindows, i, i+1)
				return true, nil
			})
		},
	}
}

func newWindowListCmd(s *session.Session) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use: "list PROJECT", Short: "List the sync windows of a project", Args: command.Exactly("PROJECT"), ValidArgsFunction: complete.First(s, complete.Projects),
		Example: command.Example("bowline proj windows list shop"),
		RunE: func(cmd *cobra.Command, args []string) error {
			service, p, err := fetch(cmd.Context(), s, args[0])
			if err != nil {
				return err
			}
			windows := p.Spec.SyncWindows
			if windows == nil {
				windows = v1alpha1.SyncWindows{}
			}
			if ok, err := output.Encode(cmd.OutOrStdout(), format, windows); ok {
				return err
			}
			state, err := service.GetSyncWindowsState(cmd.Context(), &project.SyncWindowsQuery{Name: args[0]})
			if err != nil {
				return err
			}
			output.Table(cmd.OutOrStdout(), []string{"ID", "STATUS", "KIND", "SCHEDULE", "DURATION", "APPLICATIONS", "NAMESPACES", "CLUSTERS", "MANUALSYNC",
				"SYNCOVERRUN", "TIMEZONE", "USEANDOPERATOR"}, windowRows(windows, state.Windows))
			return nil
		},
	}
	output.Flag(cmd.Flags(), &format, output.Wide, output.JSON, output.YAML)
	return cmd
}

// windowRows are the lines of windows, of which some are active.
func windowRows(windows v1alpha1.SyncWindows, active []v1alpha1.SyncWindow) [][]string {
	word := func(on bool, yes, no string) string {
		if on {
			return yes
		}
		return no
	}
	list := func(values []string) string {
		if len(values) == 0 {
			return "-"
		}
		return strings.Join(values, ",")
	}
	rows := make([][]string, 0, len(windows))
	for i, w := range windows {
		if w == nil {
			continue
		}
		on := slices.ContainsFunc(active, func(a v1alpha1.SyncWindow) bool { return reflect.DeepEqual(a, *w) })
		rows = append(rows, []string{strconv.Itoa(i), word(on, "Active", "Inactive"), w.Kind, w.Schedule, w.Duration, list(w.Applications),
			list(w.Namespaces), list(w.Clusters), word(w.ManualSync, "Enabled", "Disabled"), word(w.SyncOverrun, "Enabled", "Disabled"), w.TimeZone,
			word(w.UseAndOperator, "Enabled", "Disabled")})
	}
	return rows
}
