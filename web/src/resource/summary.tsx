// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren } from 'preact'
import { call, type Node, type ObjectView } from '../api'
import { useLoaded } from '../application/loaded'
import { useApplication } from '../application/store'
import { Chip, Copy, Failure, Outside, Status, Time } from '../kit'
import { Doing, panelPlace } from './doing'
import { Owners } from './fields'
import type { Shown } from './object'
import { objectQuery, targetOf } from './target'
import { marksOf, metadataOf } from './words'

/** What an object is and how it is doing, in a look. */
export function Summary({ shown }: { shown: Shown }) {
  const node = useApplication().node(shown.id)
  const view = shown.view.value
  return (
    <div class="stack resource-summary">
      {shown.view.error && <Failure error={shown.view.error} doing="read the object" retry={shown.view.again} />}
      {node?.health?.message && (
        <p class={`resource-message ${node.health.status === 'Degraded' ? 'tone-bad' : 'tone-dim'}`}>
          {node.health.message}
        </p>
      )}
      {(node?.reason || view?.reason) && <p class="resource-message tone-warn">{node?.reason || view?.reason}</p>}
      <Facts shown={shown} node={node} view={view} />
      <Doing shown={shown} />
      {node?.images && node.images.length > 0 && <Images images={node.images} />}
      <Links shown={shown} node={node} />
      {view && <Marked view={view} />}
      {view?.owners && view.owners.length > 0 && (
        <Section title="Who wrote it">
          <Owners owners={view.owners} live />
        </Section>
      )}
    </div>
  )
}

function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="resource-section">
      <h3>{title}</h3>
      {children}
    </section>
  )
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  )
}

function Facts({ shown, node, view }: { shown: Shown; node: Node | undefined; view: ObjectView | undefined }) {
  const { target } = shown
  const marks = node ? marksOf(node) : []
  return (
    <dl class="facts">
      <Fact name="Kind">
        {target.kind} <span class="soft">{[target.group, target.version].filter(Boolean).join('/')}</span>
      </Fact>
      <Fact name="Name">
        <span class="row">
          {target.name}
          <Copy text={target.name} what="name" />
        </span>
      </Fact>
      <Fact name="Namespace">{target.namespace || <span class="soft">none: it is of the whole cluster</span>}</Fact>
      {node && (
        <Fact name="Health">
          {node.health ? (
            <Status of="health" value={node.health.status} />
          ) : (
            <span class="soft">not told for this kind</span>
          )}
        </Fact>
      )}
      {node?.managed && (
        <Fact name="Sync">
          <Status of="sync" value={node.sync} />
          {(node.differs ?? 0) > 0 && (
            <span class="soft">
              {' '}
              {node.differs} {node.differs === 1 ? 'field differs' : 'fields differ'}
            </span>
          )}
        </Fact>
      )}
      {marks.length > 0 && (
        <Fact name="Marks">
          <span class="row wrap">
            {marks.map((mark) => (
              <Chip key={mark.word} tone={mark.tone} title={mark.title}>
                {mark.word}
              </Chip>
            ))}
          </span>
        </Fact>
      )}
      {node?.created && (
        <Fact name="Created">
          <Time at={node.created} />
        </Fact>
      )}
      {node?.parents?.map((parent) => (
        <Fact key={parent} name="Came of">
          <ToObject shown={shown} id={parent} />
        </Fact>
      ))}
      {node?.info?.map((item) => (
        <Fact key={item.name} name={item.name ?? ''}>
          {item.value}
        </Fact>
      ))}
      {view?.live === undefined && view !== undefined && !view.reason && <Fact name="In the cluster">no</Fact>}
    </dl>
  )
}

/** A link to the panel of another object of the application. */
function ToObject({ shown, id }: { shown: Shown; id: string }) {
  const target = targetOf(id)
  return (
    <a href={panelPlace(shown, id)}>
      {target.kind} {target.name}
    </a>
  )
}

function Images({ images }: { images: readonly string[] }) {
  return (
    <Section title={images.length === 1 ? 'Image' : 'Images'}>
      <ul class="resource-list">
        {images.map((image) => (
          <li key={image} class="row">
            <code class="grow">{image}</code>
            <Copy text={image} what="image" />
          </li>
        ))}
      </ul>
    </Section>
  )
}

/** Links that administrators give to objects, and the addresses at which the object is to be reached. */
function Links({ shown, node }: { shown: Shown; node: Node | undefined }) {
  const { app, target } = shown
  const links = useLoaded(node?.uid && shown.id, (signal) =>
    call(
      'get',
      '/api/v1/applications/{name}/resource/links',
      { path: { name: app.name }, query: objectQuery(app, target) },
      signal,
    ),
  )
  const urls = node?.network?.externalURLs ?? []
  const items = links.value?.items ?? []
  if (links.error) return <Failure error={links.error} doing="read the links" retry={links.again} />
  if (urls.length + items.length === 0) return null
  return (
    <Section title="Links">
      <ul class="resource-list">
        {items.map((link) => (
          <li key={`${link.title} ${link.url}`}>
            <Outside to={link.url}>{link.title || link.url}</Outside>
            {link.description && <p class="soft">{link.description}</p>}
          </li>
        ))}
        {urls.map((url) => (
          <li key={url}>
            <Outside to={url} />
          </li>
        ))}
      </ul>
    </Section>
  )
}

/** Labels and annotations of the object as it is, or as it is wanted. */
function Marked({ view }: { view: ObjectView }) {
  const { labels, annotations } = metadataOf(view.live ?? view.desired)
  return (
    <>
      {labels.length > 0 && (
        <Section title="Labels">
          <ul class="row wrap">
            {labels.map(([name, value]) => (
              <li key={name} class="label" title={`${name}=${value}`}>
                <span class="soft">{name}</span>
                {value && `=${value}`}
              </li>
            ))}
          </ul>
        </Section>
      )}
      {annotations.length > 0 && (
        <Section title="Annotations">
          <dl class="annotations">
            {annotations.map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{/^https?:\/\/\S+$/.test(value) ? <Outside to={value} /> : value}</dd>
              </div>
            ))}
          </dl>
        </Section>
      )}
    </>
  )
}
