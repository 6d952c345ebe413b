// SPDX-License-Identifier: Apache-2.0

import type { Node } from '../api'
import { useApplication } from '../application/store'
import { Chip, Status, Time } from '../kit'
import { applicationPlace } from '../route/place'
import type { Shown } from './object'
import { type Condition, type ContainerState, cameOf, conditionsOf, containerStates } from './status'

/** What an object says of how it is doing: its containers, its conditions, and what came of it. */
export function Doing({ shown }: { shown: Shown }) {
  const application = useApplication()
  const live = shown.view.value?.live
  const containers = containerStates(live)
  const conditions = conditionsOf(live)
  const children = application.mood.value >= 0 ? cameOf(shown.id, application.all()) : []
  return (
    <>
      {containers.length > 0 && <Containers shown={shown} containers={containers} />}
      {children.length > 0 && <Children shown={shown} nodes={children} />}
      {conditions.length > 0 && <Conditions conditions={conditions} />}
    </>
  )
}

/** The address of a view of an object's panel, in the tab of the application that is shown. */
export function panelPlace(shown: Shown, id: string, more: Record<string, string> = {}): string {
  const tab = new URLSearchParams(location.search).get('tab') ?? undefined
  return applicationPlace(shown.app, { tab, resource: id, ...more })
}

function Containers({ shown, containers }: { shown: Shown; containers: ContainerState[] }) {
  return (
    <section class="resource-section">
      <h3>Containers</h3>
      <ul class="resource-list">
        {containers.map((one) => (
          <li key={one.name} class="container">
            <div class="row wrap">
              <a
                class="container-name"
                href={panelPlace(shown, shown.id, { panel: 'logs', 'log-container': one.name })}
              >
                {one.name}
              </a>
              {one.init && <span class="soft">init</span>}
              <Chip tone={one.tone} icon={one.tone === 'good' ? 'check' : one.tone === 'bad' ? 'cross' : 'clock'}>
                {one.word}
              </Chip>
              {one.since && (
                <span class="soft">
                  <Time at={one.since} />
                </span>
              )}
              {one.restarts > 0 && (
                <a
                  class="soft"
                  href={panelPlace(shown, shown.id, {
                    panel: 'logs',
                    'log-container': one.name,
                    'log-previous': 'yes',
                  })}
                  title="The log from before it was started again"
                >
                  {one.restarts} {one.restarts === 1 ? 'restart' : 'restarts'}
                </a>
              )}
            </div>
            {one.message && <p class="soft">{one.message}</p>}
            {one.before && <p class="soft">Before that: {one.before}</p>}
          </li>
        ))}
      </ul>
    </section>
  )
}

/** How many of what came of an object are listed; the tree shows them all. */
const listed = 12

function Children({ shown, nodes }: { shown: Shown; nodes: Node[] }) {
  return (
    <section class="resource-section">
      <h3>What came of it</h3>
      <ul class="resource-list">
        {nodes.slice(0, listed).map((node) => (
          <li key={node.id} class="row">
            <a class="clip grow" href={panelPlace(shown, node.id)}>
              {node.kind} {node.name}
            </a>
            {node.health && <Status of="health" value={node.health.status} title={node.health.message} />}
          </li>
        ))}
        {nodes.length > listed && <li class="soft">and {nodes.length - listed} more, which are no worse</li>}
      </ul>
    </section>
  )
}

function Conditions({ conditions }: { conditions: Condition[] }) {
  return (
    <section class="resource-section">
      <h3>Conditions</h3>
      <dl class="conditions">
        {conditions.map((one) => (
          <div key={one.type}>
            <dt>
              {one.type} <span class="soft">{one.status}</span>
            </dt>
            <dd>
              {one.reason} {one.since && <Time at={one.since} />}
              {one.message && <p class="soft">{one.message}</p>}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
