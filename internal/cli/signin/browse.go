// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"os/exec"
	"runtime"
)

// Browse opens an address in the browser of this machine.
func Browse(url string) error {
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	opener := exec.Command(name, args...)
	if err := opener.Start(); err != nil {
		return err
	}
	go func() { _ = opener.Wait() }() // it ends when it likes
	return nil
}
