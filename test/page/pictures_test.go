// SPDX-License-Identifier: Apache-2.0

package page

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

// into is the folder that pictures are written to; without it none are taken.
var into = flag.String("pictures", "", "folder to write pictures of the views to")

// most is how large a picture may be.
const most = 200 << 10

// pictured are the views that there are pictures of.
var pictured = []string{
	"sign-in", "applications", "applications-grouped", "applications-tiles", "application-tree", "application-large-tree", "application-list", "application-network", "application-pods",
	"application-history", "application-plan", "application-edit", "application-failed", "application-running", "resource-diff", "resource-live", "new",
	"project", "repositories", "clusters", "accounts", "access", "health",
}

// picture takes one: sizes and colours as they are asked for, and the caret is not blinking in it.
const picture = `
await page.setViewportSize({ width: Number(env.WIDTH), height: Number(env.HEIGHT) })
await page.emulateMedia({ colorScheme: env.COLOURS })
` + settled + `
await until('nothing moves', () => page.evaluate(() => document.getAnimations().every((a) => a.playState !== 'running')))
await page.mouse.move(0, 0)
await photograph(env.FILE + '.webp')
`

// TestPictures takes the pictures of the views, on a large screen and on a telephone, light and dark.
func TestPictures(t *testing.T) {
	if *into == "" {
		t.Skip("pictures are taken by `make screenshots`")
	}
	folder, err := filepath.Abs(*into)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	byName := map[string]view{"sign-in": {"sign-in", "/", "Sign in to Bowline"}}
	for _, v := range views {
		byName[v.name] = v
	}
	th := open(t)
	for _, name := range pictured {
		v, ok := byName[name]
		if !ok {
			t.Fatalf("there is no view %s", name)
		}
		if name == pictured[1] {
			th.signIn(t, "admin")
		}
		t.Run(name, func(t *testing.T) {
			for _, size := range [][3]string{{"wide", "1440", "900"}, {"phone", "390", "844"}} {
				for _, colours := range []string{"light", "dark"} {
					th.take(t, v, size, colours, folder)
				}
			}
		})
	}
}

func (th *theatre) take(t *testing.T, v view, size [3]string, colours, folder string) {
	t.Helper()
	env := v.env()
	env["WIDTH"], env["HEIGHT"], env["COLOURS"] = size[1], size[2], colours
	env["FILE"] = filepath.Join(folder, v.name+"-"+size[0]+"-"+colours)
	th.do(t, picture, env)
	info, err := os.Stat(env["FILE"] + ".webp")
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > most {
		t.Errorf("%s has %d bytes, and may have %d", info.Name(), info.Size(), most)
	}
}
