package catalog

// Stop is the offset up to which all shards consume a partition of a Kafka table before a table that it feeds comes to lie on more shards.
type Stop struct {
	Topic     string `json:"topic"`
	TopicID   string `json:"topic_id"` // of 16 bytes, in hexadecimal digits
	Partition int32  `json:"partition"`
	Next      int64  `json:"next"` // the first offset that is not consumed
}

// Stop returns where a partition of a Kafka table that is stopped ends for now, and whether any of it may be consumed at all.
func (t *Table) Stop(topic string, partition int32) (s Stop, any bool) {
	for _, s := range t.Stops {
		if s.Topic == topic && s.Partition == partition {
			return s, true
		}
	}
	return Stop{}, false
}
