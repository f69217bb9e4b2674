package s3

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Address is where an object is, or, with a prefix or a pattern as its key, many.
type Address struct {
	Secure      bool   // https
	Host        string // host or host:port, without the bucket
	Bucket, Key string
	// InHost has the bucket in front of the host's name.
	InHost bool
}

// bucketInHost are the hosts whose first labels are a bucket.
var bucketInHost = regexp.MustCompile(`^(.+)\.((?:s3|cos|obs|oss|eos)[.\-][a-z0-9\-.:]+)$`)

// schemes are the addresses that those without a host stand for.
var schemes = map[string]func(bucket string) Address{
	"s3": func(b string) Address {
		return Address{Secure: true, Host: "s3.amazonaws.com", Bucket: b, InHost: true}
	},
	"gs": func(b string) Address { return Address{Secure: true, Host: "storage.googleapis.com", Bucket: b} },
}

// unescaped are characters of keys, wildcards among them, that mean something else in addresses.
var unescaped = strings.NewReplacer("?", "%3F", "#", "%23")

// ParseAddress takes an address apart; its key may be empty. BadArguments, without the address, which may hold secrets.
func ParseAddress(text string) (Address, error) {
	u, err := url.Parse(unescaped.Replace(text))
	if err != nil {
		return Address{}, sqlerr.New(sqlerr.BadArguments, "Bad address of S3: %v", errors.Unwrap(err))
	}
	key := strings.TrimPrefix(u.Path, "/")
	a := Address{Secure: u.Scheme == "https", Host: u.Host}
	switch make, ok := schemes[u.Scheme]; {
	case ok:
		a = make(u.Host)
		a.Key = key
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil:
		return Address{}, sqlerr.New(sqlerr.BadArguments, "Bad address of S3: it must be like https://host/bucket/key or s3://bucket/key, without a user")
	default:
		if m := bucketInHost.FindStringSubmatch(u.Host); m != nil {
			a.Bucket, a.Host, a.Key, a.InHost = m[1], m[2], key, true
		} else {
			a.Bucket, a.Key, _ = strings.Cut(key, "/")
		}
	}
	if a.Bucket == "" || strings.ContainsAny(a.Bucket, "*?{}") {
		return Address{}, sqlerr.New(sqlerr.BadArguments, "Bad address of S3: it names no bucket, or its bucket is a pattern")
	}
	return a, nil
}

// Target is the host:port that the address leads to, with the bucket if it is in the host's name.
func (a Address) Target() string {
	host := a.Host
	if a.InHost {
		host = a.Bucket + "." + host
	}
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	port := "80"
	if a.Secure {
		port = "443"
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}

// String prints the bucket and the key.
func (a Address) String() string { return a.Bucket + "/" + a.Key }
