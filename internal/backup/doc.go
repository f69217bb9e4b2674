// Package backup keeps backups in a folder or in an S3 bucket. A backup is a set of files:
//
//	segments/<hash>   a segment's file, named by the hash that it has in the shard's manifest: each once, whoever names it
//	manifest          written last: its presence is what makes the backup complete
//
// and the manifest is
//
//	"olapd backup 1 " | SHA-256 of the rest, in hexadecimal | "\n" | the Manifest as JSON
//
// A backup may have a base: a segment that the base has, or the base of that, is named in the manifest and not written again. All that
// is read is held against the SHA-256 in the manifest before it is believed.
package backup
