// SPDX-License-Identifier: Apache-2.0

import { useEffect } from 'preact/hooks'
import { learnMayCreate, mayCreate } from '../applications/create'
import { Empty } from '../kit'
import { place } from '../route/place'
import { Editor } from './editor'

/** The page for a new application. */
export default function EditPage() {
  useEffect(() => void learnMayCreate(), [])
  useEffect(() => {
    const was = document.title
    document.title = 'New application · Bowline'
    return () => {
      document.title = was
    }
  }, [])
  return (
    <div class="edit-page">
      <nav class="crumbs" aria-label="Where you are">
        <a href={place('/applications')}>Applications</a>
        <span aria-hidden="true">/</span>
        <span>new</span>
      </nav>
      <h1>New application</h1>
      {mayCreate.value === false ? (
        <Empty
          icon="lock"
          title="You may not create applications"
          action={<a href={place('/settings/access')}>Who may do what</a>}
        >
          Ask for the right “applications, create” in a project.
        </Empty>
      ) : (
        <Editor app={undefined} may />
      )}
    </div>
  )
}
