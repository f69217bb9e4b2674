package node

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/cluster/identity"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/vfs"
)

// initOptions are the flags of olapd cluster init.
type initOptions struct {
	data, name, address string
	shards, replicas    int
	tokens              int
	replaceAfter        time.Duration
}

// InitCluster makes the node of a data directory, which may be empty and must not be in use, the first of a cluster: with a certificate
// authority of its own, and tokens for others to join with, which it prints. It founds the cluster when it is started next.
func InitCluster(args []string, out io.Writer) error {
	var o initOptions
	fs := flag.NewFlagSet("olapd cluster init", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.StringVar(&o.data, "data", "./data", "`directory` of the node's data")
	fs.StringVar(&o.name, "name", "olapd", "`name` of the cluster: letters, digits and dashes")
	fs.StringVar(&o.address, "address", "", "`host:port` at which other nodes reach this one (required)")
	fs.IntVar(&o.shards, "shards", 1, "`number` of shards")
	fs.IntVar(&o.replicas, "replicas", 3, "`number` of replicas of each shard, as far as there are nodes")
	fs.IntVar(&o.tokens, "tokens", 2, "`number` of tokens to print: each lets one node join within a day")
	fs.DurationVar(&o.replaceAfter, "replace-after", 10*time.Minute, "how `long` a node may be gone before its replicas are made on others; 0: for ever")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if err := o.check(); err != nil {
		return err
	}
	return o.run(vfs.Disk(), clock.Real(), out)
}

func (o *initOptions) check() error {
	if _, _, err := net.SplitHostPort(o.address); err != nil {
		return fmt.Errorf("--address must be the host:port at which other nodes reach this one: %w", err)
	}
	for _, r := range o.name {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' {
			return fmt.Errorf("--name %q: letters, digits and dashes", o.name)
		}
	}
	if o.name == "" || o.shards < 1 || o.shards > cluster.MaxShards || o.replicas < 1 || o.tokens < 0 {
		return fmt.Errorf("a cluster needs a name, 1 to %d shards, a replica at least and no less than 0 tokens", cluster.MaxShards)
	}
	return nil
}

func (o *initOptions) run(fsys vfs.FS, clk clock.Clock, out io.Writer) error {
	if err := fsys.MkdirAll(o.data); err != nil {
		return err
	}
	lock, err := fsys.Lock(o.data)
	if err != nil {
		return fmt.Errorf("data directory %s is in use: stop the node first: %w", o.data, err)
	}
	tokens, err := o.found(fsys, clk.Now())
	if err = errors.Join(err, lock.Close()); err != nil {
		return err
	}
	fmt.Fprintf(out, "The node in %s founds the cluster %s when it starts:\n\n  olapd server --data %s\n\n", o.data, o.name, o.data)
	for _, t := range tokens {
		fmt.Fprintf(out, "Then one more node can join, within a day:\n\n  olapd server --data DIR --join %s --token %s\n\n", o.address, t)
	}
	return nil
}

// found makes the identity and returns the tokens.
func (o *initOptions) found(fsys vfs.FS, now time.Time) ([]string, error) {
	if id, err := identity.Load(fsys, o.data); err != nil || id != nil {
		if err == nil {
			err = fmt.Errorf("the node in %s belongs to the cluster %s already, as %s", o.data, id.Cluster, id.Node)
		}
		return nil, err
	}
	ca, key, err := identity.NewAuthority(o.name, now)
	if err != nil {
		return nil, err
	}
	id, err := identity.Issue(o.name, cluster.FirstNode, ca, key, now)
	if err != nil {
		return nil, err
	}
	id.Address = o.address
	id.Founding = &identity.Founding{Shards: o.shards, Replicas: o.replicas, ReplaceAfter: o.replaceAfter, CAKey: key}
	var tokens []string
	for range o.tokens {
		text, grant, err := identity.NewToken(o.name, ca, now)
		if err != nil {
			return nil, err
		}
		tokens, id.Founding.Tokens = append(tokens, text), append(id.Founding.Tokens, grant)
	}
	return tokens, id.Save(fsys, o.data)
}
