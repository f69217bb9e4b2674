package catalog

// Stop is the offset up to which all shards consume a partition of a Kafka table before a table that it feeds comes to lie on more shards.
type Stop struct {
	Topic     string `json:"topic"`
	TopicID   string `json:"topic_id"` // of 16 bytes, in hexadecimal digits
	Partition int32  `json:"partition"`
	Next      int64  `json:"next"` // the first offset that is not consumed
}

// Reading is how the shards read the partitions of a Kafka table. Stored; what wins over what is in the order of the texts.
type Reading string

// The ways of reading.
const (
	// ReadByPartition: each partition is read by one shard, which has all of its rows.
	ReadByPartition Reading = "by partition"
	// ReadForKeys: each shard that a table with a sharding key lies on reads all partitions, and has its rows; the first also those of tables without one.
	ReadForKeys Reading = "for keys"
)

// Stop returns where a partition of a Kafka table that is stopped ends for now, and whether any of it may be consumed at all.
func (t *Table) Stop(topic string, partition int32) (s Stop, any bool) {
	for _, s := range t.Stops {
		if s.Topic == topic && s.Partition == partition {
			return s, true
		}
	}
	return Stop{}, false
}
