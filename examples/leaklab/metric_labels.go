//go:build !small

package main

// metric-labels: a user's id as a label of a Prometheus metric.  Each value of a label is a time series, kept for ever in
// the vector's map, here and in every Prometheus that scrapes it.
//
// The twin's label is of few values: the plan that the user has.

// CASE metric-labels EXPECT global-growth holder=*prometheus* bytes>=4000000
// CASE metric-labels-fixed NONE

import "github.com/prometheus/client_golang/prometheus"

// lab:begin
var logins = prometheus.NewCounterVec(prometheus.CounterOpts{
	Name: "logins_total", Help: "Logins.",
}, []string{"user"})

func countLogin(user, plan string) {
	logins.WithLabelValues(user).Inc()
}

// lab:end

// lab:fixed-begin
var loginsFixed = prometheus.NewCounterVec(prometheus.CounterOpts{
	Name: "logins_by_plan_total", Help: "Logins.",
}, []string{"plan"})

func countLoginFixed(user, plan string) {
	loginsFixed.WithLabelValues(plan).Inc()
}

// lab:fixed-end

func init() {
	prometheus.MustRegister(logins, loginsFixed)
	add(mode{name: "metric-labels", about: "a metric with a user's id as a label", enough: 20000,
		plant: func(i int) { countLogin(text(i, 36), "free") },
		fixed: func(i int) { countLoginFixed(text(i, 36), "free") }})
}
