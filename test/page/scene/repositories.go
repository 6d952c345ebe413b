// SPDX-License-Identifier: Apache-2.0

package scene

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

// repositories are the commits of each repository, oldest first.
var repositories = map[string]func() []commit{
	"shop/deploy": shop, "payments/deploy": payments, "platform/charts": platform, "data/pipelines": data, "labs/experiments": labs,
}

var (
	shopServices    = []string{"storefront", "cart", "catalog", "checkout", "search", "reviews", "media", "recommendations"}
	paymentServices = []string{"ledger", "fraud", "gateway", "invoices", "refunds", "payouts"}
	agents          = []string{"ingress", "dns", "certificates", "metrics", "dashboards", "logs", "backups", "policies"}
	vendors         = strings.Fields("acorn birch cedar dogwood elm fir ginkgo hazel ivy juniper katsura larch maple nutmeg oak pine quince rowan " +
		"spruce tulip umbra viburnum willow yarrow yew zelkova alder beech cherry")
)

// shop is a repository with Kustomize: a base for each service, and an overlay for each environment.
func shop() []commit {
	files := map[string]string{}
	for _, name := range shopServices {
		dir := "services/" + name
		files[dir+"/base/deployment.yaml"] = workload{name: name, image: "shop/" + name + ":2.11.0", replicas: 2}.deployment()
		files[dir+"/base/around.yaml"] = fill(around, "name", name, "features", "wishlist,gift-cards")
		files[dir+"/base/kustomization.yaml"] = "resources: [deployment.yaml, around.yaml]\n"
		files[dir+"/prod/kustomization.yaml"] = overlay(name, "2.13.1", "  - ingress.yaml\n")
		files[dir+"/prod/ingress.yaml"] = fill(ingress, "name", name, "host", name+".shop.example.org")
		files[dir+"/staging/kustomization.yaml"] = overlay(name, "2.14.0", "")
	}
	files["services/media/staging/kustomization.yaml"] += "patches:\n  - target: {kind: Deployment}\n    patch: |\n      - {op: add, path: /spec/paused, value: true}\n"
	maps.Copy(files, marketplace())
	behave := func(pods string, deadline int) string {
		return fmt.Sprintf("patches:\n  - target: {kind: Deployment}\n    patch: |\n      - {op: add, path: /spec/template/metadata/annotations, value: {devcluster.bowline.dev/pod: %s}}\n"+
			"      - {op: replace, path: /spec/progressDeadlineSeconds, value: %d}\n", pods, deadline)
	}
	return []commit{
		{author: ana, message: "Move the shop here from the old repository", ago: 40 * day, files: files},
		{author: bot, message: "cart, catalog: 2.13.0", ago: 12 * day, files: map[string]string{
			"services/cart/prod/kustomization.yaml": overlay("cart", "2.13.0", "  - ingress.yaml\n"), "services/catalog/prod/kustomization.yaml": overlay("catalog", "2.13.0", "  - ingress.yaml\n")}},
		{author: bjorn, message: "storefront: three replicas before the summer sale", ago: 5 * day, files: map[string]string{
			"services/storefront/prod/kustomization.yaml": overlay("storefront", "2.13.1", "  - ingress.yaml\n") + "replicas: [{name: storefront, count: 3}]\n"}},
		{author: bot, message: "cart: 2.13.1", ago: 2 * day, files: map[string]string{"services/cart/prod/kustomization.yaml": overlay("cart", "2.13.1", "  - ingress.yaml\n")}},
		{author: chidi, message: "search: reindex on start\n\nThe new analyzer needs all documents again.", ago: 26 * time.Hour, files: map[string]string{
			"services/search/prod/kustomization.yaml": overlay("search", "2.14.0", "  - ingress.yaml\n") + behave("hang", 86_400)}},
		{author: dana, message: "checkout: 2.14.0 with the new payment sheet", ago: 3 * time.Hour, files: map[string]string{
			"services/checkout/prod/kustomization.yaml": overlay("checkout", "2.14.0-rc.1", "  - ingress.yaml\n") + behave("missing", 10)}},
		{author: ana, message: "cart: 2.15.0 in staging", ago: 50 * time.Minute, files: map[string]string{"services/cart/staging/kustomization.yaml": overlay("cart", "2.15.0", "")}},
	}
}

func overlay(name, tag, more string) string {
	return fmt.Sprintf("resources:\n  - ../base\n%simages: [{name: registry.example.org/shop/%s, newTag: %s}]\n", more, name, tag)
}

// marketplace is one application of about three hundred objects.
func marketplace() map[string]string {
	files := map[string]string{"marketplace/gate.yaml": fill(ingress, "name", vendors[0], "host", "market.example.org")}
	for _, name := range vendors {
		files["marketplace/"+name+".yaml"] = joined(workload{name: name, image: "market/vendor:5.2.0", replicas: 2}.deployment(), fill(around, "name", name, "features", ""))
	}
	return files
}

// payments is a repository of plain files, a folder for each application, with hooks and waves.
func payments() []commit {
	files := map[string]string{}
	for _, env := range []string{"staging", "prod"} {
		for _, name := range paymentServices {
			files[env+"/"+name+"/app.yaml"] = service(name, "4.2.0")
		}
		files[env+"/ledger/hooks.yaml"] = hooks("ledger", "4.2.0", "run")
	}
	files["prod/refunds/worker.yaml"] = cronJobOf("refunds-report", "payments/refunds:4.2.0", "0 6 * * *", false)
	bump := func(tag string) map[string]string {
		return map[string]string{"prod/ledger/app.yaml": service("ledger", tag), "prod/ledger/hooks.yaml": hooks("ledger", tag, "run")}
	}
	invoicesGone := []string{"prod/invoices"}
	return []commit{
		{author: bjorn, message: "Payments, as they are deployed today", ago: 60 * day, files: files},
		{author: chidi, message: "ledger: 4.3.0, balances in one query", ago: 21 * day, files: bump("4.3.0")},
		{author: bot, message: "ledger: 4.3.1", ago: 14 * day, files: bump("4.3.1")},
		{author: dana, message: "ledger: 4.4.0\n\nNeeds the migration of the accounts table, which takes about four minutes.", ago: 9 * day, files: bump("4.4.0")},
		{author: dana, message: "Back to ledger 4.3.1: the migration locks the table", ago: 9*day - 3*time.Hour, files: bump("4.3.1")},
		{author: chidi, message: "ledger: 4.4.1, the migration works in batches", ago: 4 * day, files: bump("4.4.1")},
		{author: bjorn, message: "invoices: move to folder billing", ago: 2 * day, gone: invoicesGone, files: map[string]string{"prod/billing/app.yaml": service("invoices", "4.2.0")}},
		{author: ana, message: "gateway: 4.5.0", ago: 8 * time.Hour, files: map[string]string{"prod/gateway/app.yaml": service("gateway", "4.5.0")}},
		{author: bjorn, message: "fraud: metrics on a port of their own", ago: 90 * time.Minute, files: map[string]string{
			"prod/fraud/metrics.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: fraud-metrics}\nspec:\n  selector: {app.kubernetes.io/name: fraud}\n  ports: [{name: metrics, port: 93180}]\n"}},
		{author: dana, message: "payouts: 5.0.0 with double entry", ago: 20 * time.Minute, files: map[string]string{
			"prod/payouts/app.yaml": service("payouts", "5.0.0"), "prod/payouts/hooks.yaml": hooks("payouts", "5.0.0", "hang")}},
	}
}

func service(name, tag string) string {
	return joined(workload{name: name, image: "payments/" + name + ":" + tag, replicas: 2}.deployment(), fill(around, "name", name, "features", "sepa,instant"), fill(secret, "name", name))
}

func hooks(name, tag, pods string) string {
	image := "payments/" + name + ":" + tag
	return joined(fill(hookJob, "name", name+"-migrate", "hook", "PreSync", "image", image, "pods", pods),
		fill(hookJob, "name", name+"-smoke-test", "hook", "PostSync", "image", image, "pods", "run"),
		strings.Replace(fill(ingress, "name", name, "host", name+".pay.example.org"), "annotations: {", "annotations: {argocd.argoproj.io/sync-wave: \"2\", ", 1))
}

func cronJobOf(name, image, schedule string, suspended bool) string {
	return fill(cronJob, "name", name, "image", image, "schedule", schedule, "suspend", fmt.Sprint(suspended))
}
