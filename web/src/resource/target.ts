// SPDX-License-Identifier: Apache-2.0

import type { Node } from '../api'

/** An application, by what it is called. */
export interface AppName {
  namespace: string
  name: string
}

/** An object of an application, by what the API wants to know of it. */
export interface Target {
  group: string
  version: string
  kind: string
  namespace: string
  name: string
}

/** The object that an ID (GROUP/KIND/NAMESPACE/NAME) is of; the version is known of nodes only. */
export function targetOf(id: string, node?: Pick<Node, 'version'>): Target {
  const [group = '', kind = '', namespace = '', ...rest] = id.split('/')
  return { group, kind, namespace, name: rest.join('/'), version: node?.version ?? '' }
}

/** The query of calls about one object of an application. */
export function objectQuery(app: AppName, target: Target) {
  return {
    appNamespace: app.namespace,
    group: target.group,
    version: target.version,
    kind: target.kind,
    namespace: target.namespace,
    resourceName: target.name,
  }
}

/** The application as it is named on the command line: with its namespace where that is not the one of Bowline. */
export function appWord(app: AppName, home: string | undefined): string {
  return home && app.namespace !== home ? `${app.namespace}/${app.name}` : app.name
}

/** The flags of the command line that choose the object. */
export function objectFlags(target: Target): string[] {
  return [
    '--kind',
    target.kind,
    ...(target.group ? ['--group', target.group] : []),
    ...(target.namespace ? ['--resource-namespace', target.namespace] : []),
    '--resource-name',
    target.name,
  ]
}

/** A node with as much as is needed to find what came of what. */
type Link = Pick<Node, 'id' | 'kind' | 'group' | 'parents'>

/** The pods that came of an object, or the object itself if it is one, in the order given. */
export function podsOf<N extends Link>(id: string, nodes: readonly N[]): N[] {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const known = new Map<string, boolean>([[id, true]])
  const comes = (at: string): boolean => {
    const before = known.get(at)
    if (before !== undefined) return before
    known.set(at, false) // where parents name each other in a circle
    const came = (byId.get(at)?.parents ?? []).some(comes)
    known.set(at, came)
    return came
  }
  return nodes.filter((node) => node.kind === 'Pod' && !node.group && comes(node.id))
}
