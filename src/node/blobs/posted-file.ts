// What a post says of its files. Those of a post to a group are sealed, and the post has their keys.
import { cidToBlobId, formatBlobId, MAX_FILE_SIZE } from '../../blobs/index.ts'
import { type Body, renderable } from '../../feeds/index.ts'
import type { PostFile } from './contract.ts'
import { fileNameOf } from './file-name.ts'

/** Most files of one post. */
export const MAX_FILES = 16

export type PostedFile = Omit<PostFile, 'isHere'> & {
  /** Opens the blob, in which the file is sealed. Left out: the blob is the file. */
  key?: Uint8Array
}

/**
 * The files of a post, as far as it names them.
 * @param options.isSealed it was sealed for a group: what it names without a key is no file of it, and could be anybody's
 */
export function filesOf(body: Body | undefined, { isSealed = false } = {}): PostedFile[] {
  if (body?.blobs === undefined) return []
  const post = renderable(body)
  if (post?.type !== 'post') return []
  return (post.blobs ?? []).slice(0, MAX_FILES).flatMap((cid, i) => {
    const [id, said] = [cidToBlobId(cid), post.files?.[i]]
    if (id === undefined) return []
    const { name = 'file', size = 0, mime, alt, key } = said ?? {}
    const more = { ...(mime === undefined ? {} : { mime }), ...(alt === undefined ? {} : { alt }) }
    const file = { id: formatBlobId(id), name: fileNameOf(name), size, ...more }
    if (!isSealed) return [file]
    return key === undefined || size === 0 || size > MAX_FILE_SIZE ? [] : [{ ...file, key }]
  })
}
