package backup

const (
	// maxManifest bounds what is read as a manifest: about a million segments.
	maxManifest = 512 << 20
	// maxBases bounds the bases behind a backup: a restore may have to open them all.
	maxBases = 64
	// copyBuffer is the bytes of a copy held at once.
	copyBuffer = 1 << 20
)
