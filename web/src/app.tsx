// SPDX-License-Identifier: Apache-2.0

import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { ErrorBoundary, LocationProvider, lazy, Route, Router } from 'preact-iso'
import { errorOf } from './api/error'
import ApplicationsPage from './applications/page'
import { Empty, Failure, Skeleton } from './kit'
import { place, root } from './route/place'
import { session } from './session/signal'
import { Shell } from './shell/shell'

// What most people look at first comes with the page; the rest when it is asked for.
const ApplicationPage = lazy(() => import('./application/page'))
const EditPage = lazy(() => import('./edit/page'))
const SettingsPage = lazy(() => import('./settings/page'))
const SignIn = lazy(() => import('./session/signin'))

const broke = signal<unknown>(undefined)

/** The page: signing in, or the frame with the view that the address names. */
export function App() {
  if (session.value.is === 'unknown') return <Skeleton lines={0} />
  return (
    <LocationProvider scope={root || undefined}>
      <ErrorBoundary onError={(thrown: unknown) => (broke.value = thrown)}>
        {session.value.is === 'out' ? <SignIn /> : <Views />}
      </ErrorBoundary>
    </LocationProvider>
  )
}

function Views() {
  if (broke.value !== undefined) return <Broke />
  return (
    <Shell>
      <Router onRouteChange={() => window.scrollTo(0, 0)}>
        <Route path={`${root}/`} component={Start} />
        <Route path={`${root}/applications`} component={ApplicationsPage} />
        <Route path={`${root}/applications/:namespace/:name`} component={ApplicationPage} />
        <Route path={`${root}/new`} component={EditPage} />
        <Route path={`${root}/settings/:rest*`} component={SettingsPage} />
        <Route path={`${root}/login`} component={Start} />
        <Route default component={Nowhere} />
      </Router>
    </Shell>
  )
}

function Start() {
  useEffect(() => {
    history.replaceState(null, '', place('/applications') + location.search)
    dispatchEvent(new PopStateEvent('popstate'))
  }, [])
  return null
}

function Nowhere() {
  return (
    <Empty
      icon="question"
      title="There is nothing at this address"
      action={<a href={place('/applications')}>All applications</a>}
    >
      The link may be of another installation, or its application is gone.
    </Empty>
  )
}

/** A view that could not be drawn. A chunk of an older build that is gone is the usual reason: loading anew helps. */
function Broke() {
  return (
    <main class="broke">
      <Failure error={errorOf(broke.value)} doing="show this view" retry={() => location.reload()} />
    </main>
  )
}
