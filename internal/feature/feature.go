// Package feature says what the builds of olapd understand, so that a cluster can be upgraded node by node. Every build has a level, a number: it
// understands what all levels up to its own have brought. A cluster has a level too, which is an entry of the meta group: it rises when all nodes
// are of builds that have it, and never falls. What needs a level is used only where the cluster has it: entries of new kinds, files in new versions,
// requests to other nodes in new forms. What older builds have written is read by all later ones, whatever the level.
//
// What a new build adds beside that, a function for instance, needs no level: statements that use it fail where a node lacks it.
//
// # Adding one
//
// A feature is a line in features below, of the level Current; where it is used, the cluster's level is asked: Level.Has for what can be done
// another way, Level.Require where it cannot. Current is raised, by one, with the first feature after a release; until then a
// level may still get features.
package feature

import "github.com/olapd/olapd/internal/sqlerr"

// Level is what a build understands, or a cluster uses: 0 are the builds that did not announce one.
type Level int

// Current is the level of this build.
const Current Level = 2

// Feature is something that older builds do not understand.
type Feature int

// The features. The order means nothing.
const (
	// Levels are levels themselves: the entry that raises the cluster's, and Raft snapshots of the meta group that hold it. Builds without them end when
	// they meet either, rather than go on without knowing what the cluster uses.
	Levels Feature = iota
	// Growths make tables with a sharding key lie on more shards: steps of moves, entries with tokens and fields of tables that older builds do not know.
	Growths
	// AdoptSegments is a request to a shard's leader to take over the files of a backup. Without it RESTORE writes the rows anew.
	AdoptSegments
	// ShuffledGroups are fragments that merge the states of groups which other nodes send them. Without it they are merged where the query is.
	ShuffledGroups
	// OwnTypes are columns whose values have types of their own: Variant, Dynamic and JSON. Older builds cannot make tables of them.
	OwnTypes
	// Dictionaries are a kind of table that older builds do not know.
	Dictionaries
	// StoppedSources are Kafka tables that all shards consume up to the same offsets, so that tables with a sharding key that they feed can come to lie on more
	// shards. Older builds would consume them on, and on shards that have no rows of theirs.
	StoppedSources
	// ObjectPaths are segments that store columns of JSON path by path. Below its level objects are stored whole.
	ObjectPaths
	// Refreshes are materialized views that are computed anew at times: tables with fields that older builds would lose.
	Refreshes
)

// features is what each level has brought.
var features = [...]struct {
	name  string
	since Level
}{
	Levels:         {"levels of the cluster", 1},
	Growths:        {"tables with a sharding key that come to lie on more shards", 1},
	AdoptSegments:  {"RESTORE of whole segments", 1},
	ShuffledGroups: {"groups that are shuffled", 1},
	OwnTypes:       {"columns of Variant, Dynamic and JSON", 1},
	Dictionaries:   {"dictionaries", 1},
	StoppedSources: {"tables with a sharding key that Kafka tables feed, on more shards", 2},
	ObjectPaths:    {"columns of JSON stored path by path", 2},
	Refreshes:      {"refreshable materialized views", 2},
}

// String is what the feature is called in errors.
func (f Feature) String() string { return features[f].name }

// Since is the level that has brought the feature.
func (f Feature) Since() Level { return features[f].since }

// Has reports whether a cluster of the level uses a feature.
func (l Level) Has(f Feature) bool { return l >= f.Since() }

// Require returns an error of code NotImplemented unless a cluster of the level uses a feature.
func (l Level) Require(f Feature) error {
	if l.Has(f) {
		return nil
	}
	return sqlerr.New(sqlerr.NotImplemented, "%s: this needs feature level %d, and the cluster is at %d until all nodes are of newer builds: see system.nodes", f, f.Since(), l)
}
