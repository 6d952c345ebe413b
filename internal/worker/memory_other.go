// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package worker

// memoryOf tells nothing here: the memory of a render is bounded on Linux only.
type memoryOf struct{}

func openMemory(int) memoryOf { return memoryOf{} }

func (memoryOf) resident() (int64, bool) { return 0, false }

func (memoryOf) close() {}

func (p *process) bound(int64) {}
