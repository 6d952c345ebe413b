// SPDX-License-Identifier: Apache-2.0

package diff

import (
	"testing"

	"github.com/bowline-cd/bowline/test/devcluster"
)

func TestMain(m *testing.M) { devcluster.Main(m) }
