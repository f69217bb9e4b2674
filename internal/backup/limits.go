package backup

const (
	// maxManifest bounds what is read as a manifest: about a million segments.
	maxManifest = 512 << 20
	// maxBases bounds the bases behind a backup: a restore may have to open them all.
	maxBases = 64
	// partBytes is the part of an upload to S3 that is held in memory: 10,000 of them, S3's limit, are 160 GiB.
	partBytes = 16 << 20
	// copyBuffer is the bytes of a copy held at once.
	copyBuffer = 1 << 20
)
