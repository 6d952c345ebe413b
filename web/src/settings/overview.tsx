// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren } from 'preact'
import { call, type State } from '../api'
import { Cli, Icon, type IconName, Outside } from '../kit'
import { type Settings, settings } from '../session/session'
import { session } from '../session/signal'
import { counted } from './filter'
import { type Loaded, useLoad } from './load'
import { useMay } from './may'
import { Answer, Head, Section, Words, YesNo } from './parts'
import { at } from './place'
import { standingOf, troublesOf } from './standing'
import { useBowline } from './state'
import { type ClusterSummary, items } from './types'
import './health.css'

/** What the server says of itself, with the way to everything else. */
export function OverviewPage() {
  const state = useBowline()
  const answer = useLoad('settings', (signal) => call('get', '/api/v1/settings', {}, signal))
  // The answer that the page was opened with is there at once.
  const said = { ...answer, data: answer.data ?? settings.value }
  return (
    <>
      <Head title="Overview">What this installation is connected to, how it is set up, and who may do what.</Head>
      <Parts state={state} />
      {state.data && items(state.data.settings).length > 0 && <Problems of={items(state.data.settings)} />}
      <Answer of={said} doing="show the settings" lines={8}>
        {(s) => (
          <div class="settings-grid">
            <Server settings={s} />
            <div class="settings-view">
              <SigningIn settings={s} />
              <Links settings={s} />
            </div>
            <Version />
          </div>
        )}
      </Answer>
    </>
  )
}

/** A count that comes later; a part whose list cannot be read has none, and its own view says why. */
function useCount(
  key: string,
  ask: (signal: AbortSignal) => Promise<{ items?: unknown[] | null }>,
): number | undefined {
  return useLoad(`count ${key}`, async (signal) => items((await ask(signal)).items).length).data
}

function Parts({ state }: { state: Loaded<State> }) {
  const may = useMay(['certificates, get, *'])
  const projects = useCount('projects', (signal) => call('get', '/api/v1/projects', {}, signal))
  const repositories = useCount('repositories', (signal) => call('get', '/api/v1/repositories', {}, signal))
  const accounts = useCount('accounts', (signal) => call('get', '/api/v1/account', {}, signal))
  const clusters = state.data && items(state.data.clusters)
  const unread = items(state.data?.repositories).length
  const name = session.value.is === 'in' ? session.value.username : ''
  return (
    <nav class="settings-cards" aria-label="Parts of the settings">
      <Card word="health" icon="heart" name="Health of Bowline" bad={state.data && troubles(state.data)}>
        {healthWord(state)}
      </Card>
      <Card word="projects" icon="folder" name="Projects">
        {countOf(projects, 'project')}
      </Card>
      <Card word="repositories" icon="branch" name="Repositories" bad={unread > 0 ? `${unread} cannot be read` : ''}>
        {countOf(repositories, 'repository', 'repositories')}
      </Card>
      <Card word="clusters" icon="cluster" name="Clusters" bad={clustersWrong(items(clusters))}>
        {countOf(clusters?.length, 'cluster')}
      </Card>
      <Card word="accounts" icon="person" name="Accounts">
        {countOf(accounts, 'account')}
      </Card>
      {may('certificates, get, *') && (
        <Card word="certificates" icon="lock" name="Certificates">
          of Git and Helm servers, and host keys
        </Card>
      )}
      <Card word="access" icon="key" name="Who may do what">
        and by which rule
      </Card>
      <Card word="account" icon="person" name="My account">
        {name}
      </Card>
    </nav>
  )
}

const countOf = (n: number | undefined, one: string, many?: string) => (n === undefined ? '…' : counted(n, one, many))

function clustersWrong(clusters: ClusterSummary[]): string {
  const silent = clusters.filter((c) => ['failed', 'unknown'].includes(standingOf(c))).length
  const partly = clusters.filter((c) => standingOf(c) === 'gaps').length
  if (silent > 0) return counted(silent, 'does not answer', 'do not answer')
  return partly > 0 ? `${partly} known in part` : ''
}

/** That nothing is wrong is said only of what was answered just now. */
function healthWord(state: Loaded<State>): string {
  if (state.error) return 'not known right now'
  if (!state.data) return '…'
  return troublesOf(state.data).length === 0 ? 'nothing is wrong' : ''
}

function troubles(state: State): string {
  const n = troublesOf(state).length
  return n === 0 ? '' : counted(n, 'thing is wrong', 'things are wrong')
}

/** The way to one part, with what there is of it; bad says what is wrong there. */
function Card({
  word,
  icon,
  name,
  bad,
  children,
}: {
  word: string
  icon: IconName
  name: string
  bad?: string | undefined
  children: ComponentChildren
}) {
  return (
    <a class="card settings-card" href={at(word)}>
      <Icon name={icon} />
      <span class="stack-tight">
        <span class="settings-card-name">{name}</span>
        {children && <span class="soft">{children}</span>}
        {bad && (
          <span class="status tone-bad">
            <Icon name="warning" size={12} />
            {bad}
          </span>
        )}
      </span>
    </a>
  )
}

function Problems({ of }: { of: string[] }) {
  return (
    <Section
      title={`Settings that have no effect: ${of.length}`}
      hint="They are written in the ConfigMaps and Secrets of the control namespace, and are not known or not valid. What was in effect before stays."
    >
      {of.map((text) => (
        <p key={text} class="settings-note tone-warn">
          <Icon name="warning" />
          <span>{text}</span>
        </p>
      ))}
      <Cli command={['admin', 'settings', 'validate', '--load-cluster-settings']} />
    </Section>
  )
}

function Server({ settings: s }: { settings: Settings }) {
  return (
    <Section title="Applications">
      <dl class="facts">
        <dt>Control namespace</dt>
        <dd>
          <code>{s.controllerNamespace || 'not told'}</code>
        </dd>
        <dt>In other namespaces</dt>
        <dd>
          <YesNo yes={s.appsInAnyNamespaceEnabled ?? false} words={['allowed', 'not allowed']} />
        </dd>
        <dt>Objects belong by</dt>
        <dd>{s.trackingMethod || 'annotation'}</dd>
        <dt>Label of objects</dt>
        <dd>
          <code>{s.appLabelKey}</code>
        </dd>
        <dt>Terminal in pods</dt>
        <dd>
          <YesNo yes={s.execEnabled ?? false} words={['on', 'off']} />
        </dd>
        <dt>Sync by replacing</dt>
        <dd>
          <YesNo yes={s.syncWithReplaceAllowed ?? false} words={['allowed', 'not allowed']} />
        </dd>
        <dt>Impersonation</dt>
        <dd>
          <YesNo yes={s.impersonationEnabled ?? false} words={['on', 'off']} />
        </dd>
        <dt>Status badges</dt>
        <dd>
          <YesNo yes={s.statusBadgeEnabled ?? false} words={['on', 'off']} />
        </dd>
        <dt>Kinds with rules</dt>
        <dd>
          <Words of={Object.keys(s.resourceOverrides ?? {}).sort()} />
        </dd>
      </dl>
    </Section>
  )
}

function SigningIn({ settings: s }: { settings: Settings }) {
  const connectors = items(s.dexConfig?.connectors)
  return (
    <Section title="Signing in">
      <dl class="facts">
        <dt>Address</dt>
        <dd>{s.url ? <Outside to={s.url} /> : <span class="faint">not set: url of argocd-cm</span>}</dd>
        {items(s.additionalUrls).length > 0 && (
          <>
            <dt>Also at</dt>
            <dd>
              <Words of={items(s.additionalUrls)} />
            </dd>
          </>
        )}
        <dt>Single sign-on</dt>
        <dd>
          {s.oidcConfig?.issuer ? (
            <>
              {s.oidcConfig.name || 'OIDC'}: <Outside to={s.oidcConfig.issuer} />
            </>
          ) : connectors.length > 0 ? (
            <Words of={connectors.map((c) => c.name ?? c.type ?? '')} />
          ) : (
            <span class="soft">
              not set up: <code>oidc.config</code> of argocd-cm names the identity provider
            </span>
          )}
        </dd>
        {items(s.oidcConfig?.scopes).length > 0 && (
          <>
            <dt>Scopes</dt>
            <dd>
              <Words of={items(s.oidcConfig?.scopes)} />
            </dd>
          </>
        )}
        <dt>Local accounts</dt>
        <dd>
          <YesNo yes={!s.userLoginsDisabled} words={['may sign in', 'may not sign in']} />
        </dd>
        {s.passwordPattern && (
          <>
            <dt>Passwords</dt>
            <dd>
              have to match <code>{s.passwordPattern}</code>
            </dd>
          </>
        )}
      </dl>
    </Section>
  )
}

function Links({ settings: s }: { settings: Settings }) {
  const downloads = Object.entries(s.help?.binaryUrls ?? {})
  return (
    <Section title="Links and announcement">
      <dl class="facts">
        <dt>Announcement</dt>
        <dd>
          {s.uiBannerContent ? (
            s.uiBannerURL ? (
              <Outside to={s.uiBannerURL}>{s.uiBannerContent}</Outside>
            ) : (
              s.uiBannerContent
            )
          ) : (
            <span class="soft">
              none: <code>ui.bannercontent</code> of argocd-cm shows one to everybody
            </span>
          )}
        </dd>
        <dt>Help</dt>
        <dd>
          {s.help?.chatUrl ? (
            <Outside to={s.help.chatUrl}>{s.help.chatText || s.help.chatUrl}</Outside>
          ) : (
            <span class="soft">
              none: <code>help.chatUrl</code> of argocd-cm
            </span>
          )}
        </dd>
        {downloads.length > 0 && (
          <>
            <dt>Command line</dt>
            <dd class="row wrap">
              {downloads.map(([platform, address]) => (
                <Outside key={platform} to={address}>
                  {platform}
                </Outside>
              ))}
            </dd>
          </>
        )}
      </dl>
    </Section>
  )
}

function Version() {
  const answer = useLoad('version', (signal) => call('get', '/api/version', {}, signal))
  return (
    <Section title="Versions">
      <Answer of={answer} doing="tell the version">
        {(v) => (
          <dl class="facts">
            <dt>Bowline</dt>
            <dd>{v.ExtraBuildInfo || v.Version}</dd>
            <dt>API</dt>
            <dd>{v.Version}</dd>
            <dt>Helm</dt>
            <dd>{v.HelmVersion || 'unknown'}</dd>
            <dt>Kustomize</dt>
            <dd>{v.KustomizeVersion || 'unknown'}</dd>
            <dt>Jsonnet</dt>
            <dd>{v.JsonnetVersion || 'unknown'}</dd>
            <dt>Kubernetes library</dt>
            <dd>{v.KubectlVersion || 'unknown'}</dd>
            <dt>Go</dt>
            <dd>
              {v.GoVersion}, {v.Platform}
            </dd>
          </dl>
        )}
      </Answer>
    </Section>
  )
}
