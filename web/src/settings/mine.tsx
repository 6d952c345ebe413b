// SPDX-License-Identifier: Apache-2.0

import { session } from '../session/signal'
import { AccountPage } from './accounts'
import { Head, Section, Words } from './parts'
import { at } from './place'

/** Who is signed in, with which groups, and the account if it is a local one. */
export function MinePage() {
  const who = session.value
  if (who.is !== 'in') return null
  return (
    <>
      <Head title="My account" />
      <Section title="Signed in">
        <dl class="facts">
          <dt>As</dt>
          <dd>{who.username}</dd>
          <dt>By</dt>
          <dd>{who.issuer === 'argocd' ? 'a local account' : who.issuer}</dd>
          <dt>Groups</dt>
          <dd>
            <Words of={who.groups} />
          </dd>
          <dt>Rights</dt>
          <dd>
            <a href={at('access')}>Ask what you may do, and why</a>
          </dd>
        </dl>
      </Section>
      {who.issuer === 'argocd' && <AccountPage name={who.username} />}
    </>
  )
}
