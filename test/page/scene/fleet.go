// SPDX-License-Identifier: Apache-2.0

package scene

import (
	"context"
	"slices"
	"time"
)

// fleet are all Applications of the scene.
func fleet() []play {
	return slices.Concat(shopFleet(), paymentFleet(), platformFleet(), dataFleet(), labFleet())
}

func labels(team, env, tier string) map[string]string {
	return map[string]string{"team": team, "env": env, "tier": tier}
}

func shopFleet() []play {
	var out []play
	for _, name := range shopServices {
		prod := play{name: name + "-prod", project: "shop", repo: "shop/deploy", path: "services/" + name + "/prod", namespace: "shop-prod", labels: labels("shop", "prod", "1"),
			annotations: map[string]string{"link.argocd.argoproj.io/source": "https://git.example.org/shop/" + name, "notifications.argoproj.io/subscribe.on-sync-failed.chat": "shop"},
			past:        []deployed{{place: 0, ago: 39 * day, by: "ana"}, {place: 1, ago: 12*day - 2*time.Minute}, {place: 3, ago: 2*day - time.Minute}}}
		stage := play{name: name + "-staging", project: "shop", repo: "shop/deploy", path: "services/" + name + "/staging", namespace: "shop-staging", cluster: "staging",
			labels: labels("shop", "staging", "2")}
		switch name {
		case "cart": // somebody deploys it by hand, and has not deployed the newest
			stage.manual, stage.asked, stage.askedBy = true, 2, "ana"
		case "reviews": // somebody edits it later: see Later
			prod.manual, prod.asked, prod.askedBy = true, 5, "dana"
		case "search", "checkout": // what is deployed next does not become healthy, and what was there goes on
			prod.first = &change{place: 3}
		}
		out = append(out, prod, stage)
	}
	return append(out,
		play{name: "marketplace", project: "shop", repo: "shop/deploy", path: "marketplace", namespace: "market", labels: labels("shop", "prod", "1")},
		play{name: "stores-lisbon", project: "shop", repo: "labs/experiments", path: "point-of-sale", namespace: "stores", cluster: "edge-lisbon", labels: labels("stores", "prod", "2")},
		play{name: "stores-porto", project: "shop", repo: "shop/deploy", path: "services/media/staging", namespace: "stores", labels: labels("stores", "prod", "2")})
}

func paymentFleet() []play {
	var out []play
	for _, name := range paymentServices {
		prod := play{name: name + "-prod", project: "payments", repo: "payments/deploy", path: "prod/" + name, namespace: "pay-prod", labels: labels("payments", "prod", "0")}
		stage := play{name: name + "-staging", project: "payments", repo: "payments/deploy", path: "staging/" + name, namespace: "pay-staging", cluster: "staging",
			labels: labels("payments", "staging", "2")}
		switch name {
		case "ledger":
			prod.past = []deployed{{place: 0, ago: 59 * day, by: "bjorn"}, {place: 1, ago: 21*day - time.Minute}, {place: 2, ago: 14*day - time.Minute}, {place: 3, ago: 9*day - time.Minute, by: "dana"},
				{place: 4, ago: 9*day - 3*time.Hour - time.Minute, by: "dana"}}
		case "gateway": // held since somebody saw errors
			prod.past = []deployed{{place: 0, ago: 59 * day}}
			prod.first = &change{place: 5, annotations: map[string]string{"bowline.dev/hold": "card payments fail for two banks: ask Björn before anything is deployed"}}
		case "payouts": // a migration that takes its time
			prod.past = []deployed{{place: 0, ago: 59 * day}}
			prod.manual, prod.asked, prod.askedBy = true, 9, "dana"
			prod.first = &change{place: 5}
		case "invoices":
			prod.first = &change{place: 5}
		}
		out = append(out, prod, stage)
	}
	return out
}

func platformFleet() []play {
	return []play{
		{name: "platform", project: "platform", repo: "platform/charts", path: "apps", labels: labels("platform", "prod", "0")},
		{name: "backups-schedule", project: "platform", repo: "platform/charts", path: "extra", namespace: "platform", labels: labels("platform", "prod", "1")},
	}
}

func dataFleet() []play {
	var out []play
	for _, name := range []string{"stream", "cache", "etl", "exports", "warehouse"} {
		out = append(out, play{name: name, project: "data", repo: "data/pipelines", path: name, namespace: "data", in: teamNamespace, labels: labels("data", "prod", "1"), manual: name == "warehouse"})
	}
	return append(out,
		play{name: "reports", project: "data", repo: "data/pipelines", namespace: "data", in: teamNamespace, labels: labels("data", "prod", "2"), sources: []any{
			map[string]any{"repoURL": host + "/platform/charts.git", "path": "chart", "targetRevision": "main", "helm": map[string]any{"valueFiles": []any{"$values/reports.yaml"}}},
			map[string]any{"repoURL": host + "/data/pipelines.git", "targetRevision": "main", "ref": "values"}}},
		play{name: "exchange-rates", project: "data", repo: "data/rates", path: ".", namespace: "data", in: teamNamespace, labels: labels("data", "prod", "1")})
}

func labFleet() []play {
	var out []play
	for _, name := range experiments {
		out = append(out, play{name: name, project: "labs", repo: "labs/experiments", path: name, namespace: "labs", labels: labels("labs", "dev", "3")})
	}
	return out
}

// leftovers are objects that were deployed once, and are not in their repository any more.
func (s *Scene) leftovers(ctx context.Context) error {
	for _, text := range []string{
		fill(cronJob, "name", "refunds-archive", "image", "payments/refunds:4.1.0", "schedule", "0 5 * * 0", "suspend", "false"),
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: refunds-archive}\ndata: {keep: 90d}\n",
	} {
		u, err := parse(text)
		if err != nil {
			return err
		}
		gvk := u.GroupVersionKind()
		u.SetNamespace("pay-prod")
		u.SetAnnotations(map[string]string{"argocd.argoproj.io/sync-options": "Prune=confirm",
			"argocd.argoproj.io/tracking-id": "refunds-prod:" + gvk.Group + "/" + gvk.Kind + ":pay-prod/refunds-archive"})
		mapping, err := s.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
		if err != nil {
			return err
		}
		if err := s.put(ctx, mapping.Resource, u); err != nil {
			return err
		}
	}
	return s.apply(ctx, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: scratch, namespace: labs}\ndata: {note: nobody knows}\n")
}
