package server

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metric is one number of /metrics. Names begin with olapd_; counters end in _total.
type Metric struct {
	Name, Help string
	Counter    bool
	Value      float64
	Labels     []Label
}

// Label is one label of a metric.
type Label struct{ Name, Value string }

// collector asks for the metrics at each scrape. It describes nothing in advance: which tables and topics there are changes.
type collector func() []Metric

// Describe implements prometheus.Collector.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	for _, m := range c() {
		var names, values []string
		for _, l := range m.Labels {
			names, values = append(names, l.Name), append(values, l.Value)
		}
		kind := prometheus.GaugeValue
		if m.Counter {
			kind = prometheus.CounterValue
		}
		metric, err := prometheus.NewConstMetric(prometheus.NewDesc(m.Name, m.Help, names, nil), kind, m.Value, values...)
		if err != nil {
			metric = prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(err), err)
		}
		out <- metric
	}
}

func metricsHandler(metrics func() []Metric) http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if metrics != nil {
		reg.MustRegister(collector(metrics))
	}
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
}
