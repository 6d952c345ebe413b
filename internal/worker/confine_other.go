// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package worker

// confine takes nothing away here: render processes are confined on Linux.
func confine(int) hello {
	return hello{Lacks: []string{"this operating system has neither seccomp nor Landlock"}}
}
