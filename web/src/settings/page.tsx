// SPDX-License-Identifier: Apache-2.0

import type { ComponentType } from 'preact'
import { useEffect } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { Empty, Icon, type IconName } from '../kit'
import { AccessPage } from './access'
import { AccountPage, AccountsPage } from './accounts'
import { CertificatesPage } from './certificates'
import { ClusterPage } from './cluster'
import { ClustersPage } from './clusters'
import { HealthPage } from './health'
import { useMay } from './may'
import { MinePage } from './mine'
import { OverviewPage } from './overview'
import { at, wordsOf } from './place'
import { ProjectPage } from './project'
import { NewProjectPage } from './projectnew'
import { ProjectsPage } from './projects'
import { RepositoriesPage } from './repositories'
import './settings.css'

interface Part {
  word: string
  label: string
  icon: IconName
  page: ComponentType
  /** The view of one of its things. */
  one?: ComponentType<{ name: string }>
  /** Whoever lacks this right would see an error and nothing else. */
  needs?: string
}

const parts: Part[] = [
  { word: '', label: 'Overview', icon: 'gear', page: OverviewPage },
  { word: 'health', label: 'Health of Bowline', icon: 'heart', page: HealthPage },
  { word: 'projects', label: 'Projects', icon: 'folder', page: ProjectsPage, one: ProjectPage },
  { word: 'repositories', label: 'Repositories', icon: 'branch', page: RepositoriesPage },
  { word: 'clusters', label: 'Clusters', icon: 'cluster', page: ClustersPage, one: ClusterPage },
  { word: 'accounts', label: 'Accounts', icon: 'person', page: AccountsPage, one: AccountPage },
  { word: 'certificates', label: 'Certificates', icon: 'lock', page: CertificatesPage, needs: 'certificates, get, *' },
  { word: 'access', label: 'Who may do what', icon: 'key', page: AccessPage },
  { word: 'account', label: 'My account', icon: 'person', page: MinePage },
]

const needed = parts.flatMap((part) => part.needs ?? [])

/** Everything that is not an application: /settings and below. */
export default function SettingsPage() {
  const { path, route } = useLocation()
  const may = useMay(needed)
  const [word = '', name, ...rest] = wordsOf(path)
  const part = parts.find((one) => one.word === word)
  const shown = parts.filter((one) => !one.needs || may(one.needs) || one === part)
  useEffect(() => {
    document.title = `${name ?? part?.label ?? 'Settings'} · Settings · Bowline`
  }, [name, part])
  return (
    <div class="settings">
      <nav class="settings-nav" aria-label="Settings">
        {shown.map((one) => (
          <a
            key={one.word}
            class="settings-link"
            href={one.word ? at(one.word) : at()}
            aria-current={one === part ? 'page' : undefined}
          >
            <Icon name={one.icon} />
            {one.label}
          </a>
        ))}
      </nav>
      <div class="settings-pick">
        <select
          class="input"
          aria-label="Part of the settings"
          value={part?.word ?? ''}
          onChange={(event) => route(event.currentTarget.value ? at(event.currentTarget.value) : at())}
        >
          {shown.map((one) => (
            <option key={one.word} value={one.word}>
              {one.label}
            </option>
          ))}
        </select>
      </div>
      <div class="settings-view">{rest.length > 0 ? <Nowhere /> : <View part={part} name={name} />}</div>
    </div>
  )
}

function View({ part, name }: { part: Part | undefined; name: string | undefined }) {
  if (!part) return <Nowhere />
  if (name === undefined) return <part.page />
  if (part.word === 'projects' && name === 'new') return <NewProjectPage />
  return part.one ? <part.one key={name} name={name} /> : <Nowhere />
}

function Nowhere() {
  return (
    <Empty icon="question" title="There is nothing at this address" action={<a href={at()}>All settings</a>}>
      The link may be of another installation, or what it named is gone.
    </Empty>
  )
}
