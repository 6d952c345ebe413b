// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { Button, Cli } from '../kit'
import { session } from '../session/signal'
import { SignMeOut } from './account'
import { MyAccount } from './accounts'
import { Head, Section, Words } from './parts'
import { at } from './place'
import { RightsTable } from './rightstable'

/** Who is signed in: by whom, with which groups, what they may do, and their account if it is a local one. */
export function MinePage() {
  const who = session.value
  const [ending, setEnding] = useState(false)
  if (who.is !== 'in') return null
  const local = who.issuer === 'argocd'
  return (
    <>
      <Head
        title="My account"
        actions={
          !local && (
            <Button icon="door" onClick={() => setEnding(true)}>
              Sign out everywhere
            </Button>
          )
        }
      >
        Who you are to Bowline, and what you may do.
      </Head>
      <Section title="Signed in">
        <dl class="facts">
          <dt>As</dt>
          <dd>{who.username || 'a caller without a name'}</dd>
          <dt>By</dt>
          <dd>{local ? 'a local account' : who.issuer || 'nobody: anonymous callers are let in'}</dd>
          <dt>Groups</dt>
          <dd>
            <Words of={who.groups} none={local ? 'none: local accounts have none' : 'none came with the sign-in'} />
          </dd>
        </dl>
        <Cli command={['account', 'get-user-info']} />
      </Section>
      {local && who.username && <MyAccount name={who.username} />}
      <RightsTable title="What you may do" />
      <p class="soft">A right on some things only is not in this table.</p>
      <div>
        <a class="button" href={at('access')}>
          Ask for a right, and why
        </a>
      </div>
      {ending && <SignMeOut onClose={() => setEnding(false)} />}
    </>
  )
}
