// Package s3 reads and writes objects of S3 and of stores that speak its protocol.
//
// # Addresses
//
//	http(s)://host[:port]/bucket/key            path style: any store
//	http(s)://bucket.s3[.region].domain/key     the bucket in the host's name: Amazon's and others' whose hosts are named s3, cos, obs, oss, eos
//	s3://bucket/key  gs://bucket/key            https://bucket.s3.amazonaws.com/key, https://storage.googleapis.com/bucket/key
//
// # What may be reached
//
// Open asks whether the host may be connected to, and so does each connection later: a store that sends its client elsewhere does not get it there.
//
// # Objects
//
// What is written appears as a whole or not at all: small objects by one request, others by an upload of parts, which is given up if it is not
// completed. What is read at several places is of one version of the object, or an error.
package s3

import (
	"errors"
	"time"
)

// ErrNotExist is wrapped by the errors of objects that are not there.
var ErrNotExist = errors.New("s3: no such object")

// Limits.
const (
	// connectTimeout is how long a store may take to be reached, silence how long it may take to begin an answer.
	connectTimeout, silence = 10 * time.Second, time.Minute
	// partBytes is the part of an upload that is held in memory: 10,000 of them, S3's limit, are 160 GiB.
	partBytes = 16 << 20
	maxParts  = 10_000
	// firstBuffer is what an upload holds at first: most objects of partitioned inserts are small.
	firstBuffer = 64 << 10
	// readAhead is how many bytes are worth asking for at once: a request costs as much as about a megabyte.
	readAhead = 1 << 20
	// attempts is how often a request is made that fails by the network or by a store that is busy: about two seconds.
	attempts = 5
	// abortTimeout bounds giving up an upload, which is done for queries that were ended too.
	abortTimeout = 10 * time.Second
)
