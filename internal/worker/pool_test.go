// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"context"
	"testing"
)

func TestRender(t *testing.T) {
	p, log := newPool(t, Options{})
	out, err := p.Render(context.Background(), chartInput(chart(nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v %s", out, log)
}
