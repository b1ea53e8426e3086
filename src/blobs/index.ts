// The door of the blobs layer: files by the hashes of their chunks, how they lie on the disk, and how they are fetched. It
// knows bytes; who may have them is for the node to say.
export { BlobCaller } from './blob-caller.ts'
export { BLOB_ID_SIZE, blobCid, cidToBlobId, formatBlobId, parseBlobId } from './blob-id.ts'
export { giveBlob } from './blob-host.ts'
export { BlobStore, diskSize } from './blob-store.ts'
export { Download } from './download.ts'
export { BlobError, type BlobErrorCode } from './errors.ts'
export { CHUNK_SIZE, decodeManifest, MAX_BLOB_SIZE } from './manifest.ts'
export { plainPicture } from './plain-picture.ts'
export { FILE_KEY_SIZE, MAX_FILE_SIZE, openFile, sealedSize, sealFile } from './sealing.ts'
export { StoredBlob } from './stored-blob.ts'
