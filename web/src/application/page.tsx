// SPDX-License-Identifier: Apache-2.0

import './application.css'
import { useEffect } from 'preact/hooks'
import { useRoute } from 'preact-iso'
import type { ApiError, Application } from '../api'
import { Empty, Failure, Skeleton, Tabs } from '../kit'
import { place } from '../route/place'
import { useQuery } from '../route/query'
import { chunk } from './chunk'
import { Header } from './header'
import { useViewCommands } from './keys'
import { ApplicationProvider, useApplication, useFollowed } from './store'
import { tabOf, tabs, View } from './views'

const Doings = chunk(() => import('../doings').then((m) => m.Doings), 0)
const ResourcePanel = chunk(() => import('../resource').then((m) => m.ResourcePanel), 0)

/** The page of one application. */
export default function ApplicationPage() {
  const { namespace = '', name = '' } = useRoute().params
  return <Followed key={`${namespace}/${name}`} namespace={namespace} name={name} />
}

function Followed({ namespace, name }: { namespace: string; name: string }) {
  useViewCommands(name)
  const live = useFollowed(namespace, name)
  useEffect(() => {
    const was = document.title
    document.title = `${name} · Bowline`
    return () => {
      document.title = was
    }
  }, [name])
  const standing = live.standing.value
  if (live.deleted.value) return <Gone name={name} />
  if (standing.is === 'refused') return <Refused error={standing.error} namespace={namespace} name={name} />
  return (
    <ApplicationProvider value={live}>
      <div class="app">
        <Header namespace={namespace} name={name}>
          <Doings row={live.row.value} app={live.application.value} />
        </Header>
        {live.application.value ? <Views app={live.application.value} /> : <Skeleton lines={8} />}
      </div>
      <Panel namespace={namespace} name={name} />
    </ApplicationProvider>
  )
}

function Views({ app }: { app: Application }) {
  const live = useApplication()
  const { query, set } = useQuery()
  const chosen = tabOf(query.get('tab'), app)
  return (
    <div class={live.unknown.value ? 'app-views app-old' : 'app-views'}>
      <Tabs label="Views of the application" tabs={tabs} chosen={chosen} onChoose={(tab) => set({ tab }, true)}>
        <View tab={chosen} app={app} row={live.row.value} />
      </Tabs>
    </div>
  )
}

/** The panel of the object that the address names. */
function Panel({ namespace, name }: { namespace: string; name: string }) {
  const { query, set } = useQuery()
  const id = query.get('resource')
  if (!id) return null
  const close = () => set({ resource: undefined, panel: undefined, full: undefined }, true)
  return <ResourcePanel app={{ namespace, name }} nodeId={id} panel={query.get('panel') ?? undefined} onClose={close} />
}

const back = <a href={place('/applications')}>All applications</a>

function Gone({ name }: { name: string }) {
  return (
    <>
      <h1 class="unseen">{name}</h1>
      <Empty icon="trash" title={`The application ${name} was deleted`} action={back}>
        If it is made again under the same name, load this page anew.
      </Empty>
    </>
  )
}

/** What is not there and what one may not see look the same. */
function Refused({ error, namespace, name }: { error: ApiError; namespace: string; name: string }) {
  if (error.status !== 403 && error.status !== 404) {
    return <Failure error={error} doing={`show the application ${name}`} retry={() => location.reload()} />
  }
  return (
    <>
      <h1 class="unseen">{name}</h1>
      <Empty icon="question" title={`There is no application ${namespace}/${name} that you may see`} action={back}>
        It was deleted, has another name, or you have no right to it. Whoever runs Bowline can tell.
      </Empty>
    </>
  )
}
