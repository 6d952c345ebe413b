// SPDX-License-Identifier: Apache-2.0

// Package settings serves what pages and command lines have to know of an installation: how to sign in, what it is called,
// which tools it has.
//
// The words of this room:
//
//   - Map: the data of argocd-cm. What only clients use is read from it when they ask, so that a change counts at once.
//   - Reduced: said of the answer to callers who did not sign in.
package settings

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	rpccluster "github.com/bowline-cd/bowline/api/argoproj/rpc/cluster"
	"github.com/bowline-cd/bowline/api/argoproj/v1alpha1"
	"github.com/bowline-cd/bowline/internal/auth"
	"github.com/bowline-cd/bowline/internal/fault"
	"github.com/bowline-cd/bowline/internal/settings"
)

// Deps is what the service is made with.
type Deps struct {
	// Hub reads the control namespace, Home.
	Hub  client.Reader
	Home string
	// Settings returns those of the moment.
	Settings func() *settings.Settings
	// Plugins names the plugins that are installed.
	Plugins func() ([]string, error)
	// Lookup finds what a value of the map that begins with $ stands for.
	Lookup func(key string) (string, bool)
}

// Service implements cluster.SettingsService.
type Service struct {
	Deps
}

var _ rpccluster.SettingsService = (*Service)(nil)

// New returns the service.
func New(deps Deps) *Service { return &Service{Deps: deps} }

// Get answers everybody; callers who did not sign in get a reduced answer.
func (s *Service) Get(ctx context.Context, _ *rpccluster.SettingsQuery) (*rpccluster.Settings, error) {
	cm, err := s.configMap(ctx)
	if err != nil {
		return nil, err
	}
	out := &rpccluster.Settings{}
	s.addOpen(out, cm)
	s.addSignOn(out, cm)
	if who, ok := auth.From(ctx); ok && who.Kind != auth.Anonymous {
		s.addSignedIn(out, cm)
	}
	return out, nil
}

// GetPlugins names the plugins that are installed. Whoever is signed in may ask.
func (s *Service) GetPlugins(context.Context, *rpccluster.SettingsQuery) (*rpccluster.SettingsPluginsResponse, error) {
	names, err := s.Plugins()
	if err != nil {
		return nil, err
	}
	out := &rpccluster.SettingsPluginsResponse{}
	for _, name := range names {
		out.Plugins = append(out.Plugins, rpccluster.Plugin{Name: name})
	}
	return out, nil
}

func (s *Service) configMap(ctx context.Context) (page, error) {
	cm := &corev1.ConfigMap{}
	err := s.Hub.Get(ctx, client.ObjectKey{Namespace: s.Home, Name: v1alpha1.ConfigMapName}, cm)
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fault.Wrap(fault.Retry, "read", "ConfigMap "+s.Home+"/"+v1alpha1.ConfigMapName, err, "try again")
	}
	return cm.Data, nil
}

// addOpen adds what Argo CD tells everybody.
func (s *Service) addOpen(out *rpccluster.Settings, cm page) {
	now := s.Settings()
	out.URL, out.AdditionalURLs = cm["url"], cm.list("additionalUrls")
	out.AppLabelKey, out.TrackingMethod, out.InstallationID = now.Tracker.LabelKey, string(now.Tracker.Method), now.Tracker.InstallationID
	out.StatusBadgeEnabled, out.StatusBadgeRootURL = cm.yes("statusbadge.enabled"), cm["statusbadge.url"]
	out.KustomizeOptions = &v1alpha1.KustomizeOptions{BuildOptions: now.Rendering.KustomizeBuildOptions}
	out.KustomizeVersions = versionsOf(now.Rendering.KustomizeVersions)
	out.GoogleAnalytics = &rpccluster.GoogleAnalyticsConfig{TrackingID: cm["ga.trackingid"], AnonymizeUsers: cm["ga.anonymizeusers"] != "false"}
	out.Help = cm.help()
	out.UiCssURL, out.UiLoginButtonText = cm["ui.cssurl"], cm["ui.loginButtonText"]
	out.ExecEnabled, out.UserLoginsDisabled = cm.yes("exec.enabled"), !cm.logins()
	out.AppsInAnyNamespaceEnabled, out.ImpersonationEnabled = len(now.Namespaces) > 0, now.Impersonation
	out.SyncWithReplaceAllowed = now.ReplaceAllowed
}

// addSignedIn adds what only those who signed in are told.
func (s *Service) addSignedIn(out *rpccluster.Settings, cm page) {
	out.UiBannerContent, out.UiBannerURL = cm["ui.bannercontent"], cm["ui.bannerurl"]
	out.UiBannerPermanent, out.UiBannerPosition = cm.yes("ui.bannerpermanent"), cm["ui.bannerposition"]
	out.ControllerNamespace = s.Home
	out.ResourceOverrides = overrides(s.Settings())
	out.PasswordPattern = cm["passwordPattern"]
	if out.PasswordPattern == "" {
		out.PasswordPattern = defaultPattern
	}
}

// defaultPattern is what a password has to match when passwordPattern says nothing, as in Argo CD.
const defaultPattern = "^.{8,32}$"
