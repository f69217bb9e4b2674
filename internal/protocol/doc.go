// Package protocol is ClickHouse's native protocol as bytes: packets to and from Go values, for both ends.
//
// A connection is a stream of packets each way, without frames around them:
//
//	client                                        server
//	Hello{name, version, revision, database,  →
//	      user, password}                     ←   Hello{name, version, revision, zone, display name, patch}
//	quota key                                 →                                       (from revision 54458 on)
//	Query{id, client info, settings, stage,   →
//	      compression, text, parameters}
//	Data… of external tables, Data{}          →
//	                                          ←   Data{header}  Progress…  Data…  Totals  Extremes  ProfileInfo
//	                                          ←   Data{}  EndOfStream | Exception
//	Ping, TablesStatusRequest                 →
//	                                          ←   Pong, TablesStatusResponse
//
// For an INSERT whose rows the client has, TableColumns and the header follow Data{}; the client sends its rows as Data and ends
// with Data{}. Cancel may come at any time while a query runs.
//
// Numbers are LEB128 unless they are said to be fixed (little endian); strings have their length in front. A packet begins
// with its kind. Data is a table's name and a block in Native form (package format), which is in checksummed frames
// (package compress) if the query asked for it; blocks of Log and ProfileEvents are not.
//
// Both ends use the lower of their revisions; Revision lists what comes with which. Nothing that a peer says about
// sizes is believed: memory grows with the bytes that came.
package protocol

// Revision is the highest revision of the protocol spoken here.
const Revision = 54460

// Oldest is the lowest revision whose clients end a query with an empty block: it cannot be told otherwise where tables end.
const Oldest = 50264

// Revisions from which on packets have more in them.
const (
	withTotalRows         = 51554 // in Progress
	withClientInfo        = 54032 // in Query
	withTimeZone          = 54058 // in the server's Hello
	withQuotaKey          = 54060 // in client info
	withDisplayName       = 54372 // in the server's Hello
	withPatch             = 54401 // in the server's Hello and client info
	withColumnDefaults    = 54410 // TableColumns before an INSERT's header
	withWrites            = 54420 // in Progress
	withTextSettings      = 54429 // settings as text, with flags
	withSecret            = 54441 // in Query: the hash of a cluster's secret
	withTrace             = 54442 // in client info
	withReferer           = 54447 // in client info of HTTP
	withForwardedFor      = 54443 // in client info of HTTP
	withDepth             = 54448 // in client info
	withStartTime         = 54449 // in client info
	withProfileEvents     = 54451 // packets of them, with signed values
	withParallelReplicas  = 54453 // in client info
	withInsertEvents      = 54456 // ProfileEvents behind an INSERT
	withAddendum          = 54458 // behind the client's Hello
	withParameters        = 54459 // in Query
	withElapsedInProgress = 54460
	withServerLogs        = 54406 // packets of them
)

// HasColumnDefaults tells whether a revision knows TableColumns packets.
func HasColumnDefaults(revision int) bool { return revision >= withColumnDefaults }

// HasTextSettings tells whether settings can be told to a server of a revision: before, their form depended on which it was.
func HasTextSettings(revision int) bool { return revision >= withTextSettings }

// HasParameters tells whether a revision knows the values of {name:Type}.
func HasParameters(revision int) bool { return revision >= withParameters }

// HasServerLogs tells whether a revision knows Log packets.
func HasServerLogs(revision int) bool { return revision >= withServerLogs }

// HasProfileEvents tells whether a revision knows ProfileEvents packets; behind an INSERT they came later.
func HasProfileEvents(revision int, insert bool) bool {
	return revision >= withProfileEvents && (!insert || revision >= withInsertEvents)
}

// HasProgressOfInsert tells whether clients of a revision take Progress while they send rows.
func HasProgressOfInsert(revision int) bool { return revision >= withWrites }

// HasAddendum tells whether a quota key follows the client's Hello.
func HasAddendum(revision int) bool { return revision >= withAddendum }

// ClientPacket is the kind of a packet from a client.
type ClientPacket uint64

// The packets of clients. Those between servers of one cluster are not served.
const (
	ClientHello        ClientPacket = 0
	ClientQuery        ClientPacket = 1
	ClientData         ClientPacket = 2
	ClientCancel       ClientPacket = 3
	ClientPing         ClientPacket = 4
	ClientTablesStatus ClientPacket = 5
	ClientKeepAlive    ClientPacket = 6
	ClientScalar       ClientPacket = 7
	ClientIgnoredParts ClientPacket = 8
)

// ServerPacket is the kind of a packet from a server.
type ServerPacket uint64

// The packets of servers.
const (
	ServerHello          ServerPacket = 0
	ServerData           ServerPacket = 1
	ServerException      ServerPacket = 2
	ServerProgress       ServerPacket = 3
	ServerPong           ServerPacket = 4
	ServerEndOfStream    ServerPacket = 5
	ServerProfileInfo    ServerPacket = 6
	ServerTotals         ServerPacket = 7
	ServerExtremes       ServerPacket = 8
	ServerTablesStatus   ServerPacket = 9
	ServerLog            ServerPacket = 10
	ServerTableColumns   ServerPacket = 11
	ServerPartUUIDs      ServerPacket = 12
	ServerReadTask       ServerPacket = 13
	ServerProfileEvents  ServerPacket = 14
	ServerTimezoneUpdate ServerPacket = 17
)

// Stage is how far a query is to be processed before its rows are sent.
type Stage uint64

// The stages. Clients ask for StageComplete; the others are for servers that share a query.
const (
	StageFetchColumns             Stage = 0
	StageMergeableState           Stage = 1
	StageComplete                 Stage = 2
	StageAfterAggregation         Stage = 3
	StageAfterAggregationAndLimit Stage = 4
)

// Interface is how a query reached the first server.
type Interface uint8

// Interfaces with fields of their own in client info.
const (
	InterfaceTCP  Interface = 1
	InterfaceHTTP Interface = 2
)

// Limits of what is read; each bounds memory only together with the bytes that really come.
const (
	// maxShort bounds names: users, databases, tables, identifiers of queries.
	maxShort = 64 << 10
	// maxText bounds the text of a query, whose rows may be in it, and of settings and exceptions.
	maxText = 256 << 20
	// maxBlock bounds the bytes of one block.
	maxBlock = 1 << 30
	// maxSettings bounds the settings and parameters of a query, and tables asked for: there are some 1,400 settings.
	maxSettings = 16 << 10
	// maxNested bounds the exceptions inside of an exception.
	maxNested = 16
)
