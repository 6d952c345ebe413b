// SPDX-License-Identifier: Apache-2.0

package page

import (
	"net/url"
	"testing"
)

// view is an address, and a text that shows that it has drawn.
type view struct{ name, path, see string }

func application(name, query string) string { return "/applications/argocd/" + name + query }

// panel is the address of the panel of the Deployment that lacks its image.
func panel(of, tab string) string {
	return application("checkout-prod", "?resource="+url.QueryEscape("apps/Deployment/shop-prod/checkout")+"&panel="+tab)
}

// views are those of the page that people see.
var views = []view{
	{"applications", "/applications", "checkout-prod"},
	{"applications-grouped", "/applications?group=projects", "payments"},
	{"applications-tiles", "/applications?view=tiles", "checkout-prod"},
	{"applications-none", "/applications?search=nothing-is-called-so", "No application"},
	{"application-tree", application("checkout-prod", ""), "checkout"},
	{"application-large-tree", application("marketplace", ""), "acorn"},
	{"application-list", application("checkout-prod", "?tab=list"), "ServiceAccount"},
	{"application-network", application("checkout-prod", "?tab=network"), "checkout"},
	{"application-pods", application("checkout-prod", "?tab=pods"), "checkout"},
	{"application-history", application("ledger-prod", "?tab=history"), "migration"},
	{"application-plan", application("refunds-prod", "?tab=plan"), "refunds-archive"},
	{"application-events", application("checkout-prod", "?tab=events"), "checkout"},
	{"application-edit", application("checkout-prod", "?tab=edit"), "targetRevision"},
	{"application-failed", application("fraud-prod", ""), "fraud-metrics"},
	{"application-running", application("payouts-prod", ""), "payouts-migrate"},
	{"resource-desired", panel("", "desired"), "progressDeadlineSeconds"},
	{"resource-live", panel("", "live"), "progressDeadlineSeconds"},
	{"resource-diff", application("reviews-prod", "?resource="+url.QueryEscape("apps/Deployment/shop-prod/reviews")+"&panel=diff"), "replicas"},
	{"resource-events", panel("", "events"), "ScalingReplicaSet"},
	{"new", "/new", "Repository"},
	{"settings", "/settings", "Projects"},
	{"projects", "/settings/projects", "payments"},
	{"project", "/settings/projects/payments", "Money, and what has to be asked"},
	{"repositories", "/settings/repositories", "git.example.org"},
	{"clusters", "/settings/clusters", "edge-lisbon"},
	{"accounts", "/settings/accounts", "dev"},
	{"account", "/settings/account", "admin"},
	{"certificates", "/settings/certificates", "git.example.org"},
	{"access", "/settings/access", "may"},
	{"health", "/settings/health", "edge-lisbon"},
}

// settled waits until a view has drawn everything.
const settled = `
await go(env.PATH)
await until('a text ' + env.SEE + ' at ' + env.PATH, async () =>
  (await page.locator('#content').innerText()).includes(env.SEE) || (await page.locator('#content').locator('input, textarea').evaluateAll((all, see) => all.some((f) => f.value.includes(see)), env.SEE)))
await until('nothing loads any more at ' + env.PATH, async () => (await page.locator('.skeleton:visible').count()) === 0)
`

func (v view) env() map[string]string { return map[string]string{"PATH": v.path, "SEE": v.see} }

// TestViews looks at each view as a person does who uses a keyboard, a screen reader, a telephone, a dark room.
func TestViews(t *testing.T) {
	th := open(t)
	th.signIn(t, "admin")
	for _, v := range views {
		t.Run(v.name, func(t *testing.T) {
			env := v.env()
			th.do(t, "await page.setViewportSize({ width: 1440, height: 900 })\nawait page.emulateMedia({ colorScheme: 'light' })"+settled+"await axe()\nawait fits()", env)
			th.do(t, "await page.emulateMedia({ colorScheme: 'dark' })\nawait axe()", env)
			th.do(t, "await page.setViewportSize({ width: 360, height: 740 })"+settled+"await fits()\nawait axe()", env)
		})
	}
}
