package main

import "fmt"

// kafkaSection has the last run over messages that were there before, and the last at a steady rate.
func kafkaSection(results string) (string, error) {
	t := table{header: []string{"messages", "partitions", "produced", "rows/s", "seen after, median ms", "at most ms", "longest pause ms", "peak MiB"}}
	var env string
	for _, steady := range []bool{false, true} {
		r, err := lastResult(results, "kafka", func(r *kafkaRecord) bool { return (r.Rate > 0) == steady })
		if err != nil {
			return "", err
		}
		if r == nil {
			continue
		}
		produced, median, most := "before", "", ""
		if steady {
			produced, median, most = grouped(int64(r.Rate))+" a second", msText(r.MedianDelay), msText(r.WorstDelay)
		}
		t.add(fmt.Sprintf("%s of %d bytes", grouped(r.Rows), r.Bytes/max(r.Rows, 1)), fmt.Sprint(r.Partitions), produced,
			grouped(int64(r.PerSecond)), median, most, msText(r.LongestGap), mebibytes(r.PeakMemory))
		env += r.environment.String() + "\n\n"
	}
	if env == "" {
		return missing("kafka"), nil
	}
	return env + t.String(), nil
}
