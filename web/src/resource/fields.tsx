// SPDX-License-Identifier: Apache-2.0

import './compare.css'
import { Fragment } from 'preact'
import { useState } from 'preact/hooks'
import type { Difference, FieldOwner } from '../api'
import { Button, Copy, Dialog, Time } from '../kit'
import { ignoreFields, ignoreManagers } from './ignore'
import type { Target } from './target'
import { useYaml, yamlOf } from './yaml'

/** The fields that differ, each with who wrote it. */
export function Differing({ differences, target }: { differences: readonly Difference[]; target: Target }) {
  const [ignoring, setIgnoring] = useState<Difference | undefined>(undefined)
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard */}
      <section class="table-scroll differing" tabIndex={0} aria-label="Fields that differ">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Live</th>
              <th scope="col">Desired</th>
              <th scope="col">Who wrote it</th>
              <th scope="col">
                <span class="unseen">What to do</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {differences.map((one) => (
              <tr key={one.path}>
                <th scope="row">
                  <code class="differing-path">
                    {one.path.split(/(?<=[.\]])/).map((step, at) => (
                      <Fragment key={at}>
                        {step}
                        <wbr />
                      </Fragment>
                    ))}
                  </code>
                  {one.reordered && <span class="soft"> in another order</span>}
                </th>
                <Value text={one.live} />
                <Value text={one.desired} />
                <td>
                  <Owners owners={one.owners ?? []} live={Boolean(one.live)} />
                </td>
                <td>
                  <Button small looks="quiet" aria-label={`Ignore ${one.path}`} onClick={() => setIgnoring(one)}>
                    Ignore
                  </Button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {ignoring && <Ignore difference={ignoring} target={target} onClose={() => setIgnoring(undefined)} />}
    </>
  )
}

/** How much of a value is shown before it is cut. */
const longValue = 160

function Value({ text }: { text: string | undefined }) {
  if (!text) return <td class="faint">not set</td>
  return (
    <td>
      <code class="differing-value" title={text.length > longValue ? text.slice(0, 2_000) : undefined}>
        {text.length > longValue ? `${text.slice(0, longValue)}…` : text}
      </code>
    </td>
  )
}

/** Who wrote a field, newest first. */
export function Owners({ owners, live }: { owners: readonly FieldOwner[]; live: boolean }) {
  if (owners.length === 0) return <span class="soft">{live ? 'Nobody can be named' : 'Nobody: it is not set'}</span>
  return (
    <ul class="owners">
      {owners.map((owner) => (
        <li key={`${owner.manager} ${owner.operation} ${owner.subresource}`}>
          <strong>{owner.ours ? 'This application’s sync' : owner.manager}</strong>{' '}
          <span class="soft">
            {wayOf(owner)} {owner.time && <Time at={owner.time} />}
          </span>
        </li>
      ))}
    </ul>
  )
}

function wayOf(owner: FieldOwner): string {
  const way =
    owner.operation === 'Apply' ? 'applied' : owner.operation === 'Update' ? 'updated' : (owner.operation ?? '')
  return owner.subresource ? `${way} ${owner.subresource}` : way
}

/** What to write into the application so that a difference does not count. */
function Ignore({ difference, target, onClose }: { difference: Difference; target: Target; onClose: () => void }) {
  const managers = [...new Set((difference.owners ?? []).filter((o) => !o.ours).map((o) => o.manager))]
  return (
    <Dialog
      title="Ignore this difference"
      onClose={onClose}
      width="wide"
      actions={<Button onClick={onClose}>Close</Button>}
    >
      <div class="stack">
        <p>
          Put this into <code>spec</code> of the application. Bowline then no longer shows the field as drift; with the
          sync option <code>RespectIgnoreDifferences=true</code> a sync leaves it alone, too.
        </p>
        <Snippet title={`The field ${difference.path}`} entry={ignoreFields(target, [difference.path])} />
        {managers.length > 0 && (
          <Snippet title={`Whatever ${managers.join(' and ')} writes`} entry={ignoreManagers(target, managers)} />
        )}
      </div>
    </Dialog>
  )
}

function Snippet({ title, entry }: { title: string; entry: object }) {
  const { yaml } = useYaml()
  const text = yaml ? yamlOf(yaml, { ignoreDifferences: [entry] }) : ''
  return (
    <section class="snippet">
      <header class="row">
        <h3 class="grow">{title}</h3>
        <Copy text={text} what={title} />
      </header>
      <pre>{text}</pre>
    </section>
  )
}
